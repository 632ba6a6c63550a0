"""VPT, AdaptFormer, ST-Adapter, LoRA: the four tests of each method."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from mmvidadapt.models import VPT, AdaptFormer, ImageViT, LoRA, STAdapter
from tests.reference import plain_petl

VIDEO = (2, 3, 4, 16, 16)  # (B, 3, T, H, W)
EVERYWHERE = ('q', 'k', 'v', 'o')
# name: class, arguments, plain block, its arguments, what a block trains.
ADAPTER = ['down.weight', 'down.bias', 'up.weight', 'up.bias']
CONV = [*ADAPTER, 'conv.weight', 'conv.bias']
METHODS = {
    'vpt': (
        VPT,
        dict(num_prompts=3),
        partial(plain_petl.PlainVPT, num_prompts=3),
        ['prompts'],
    ),
    'adaptformer': (
        AdaptFormer,
        dict(adapter_dims=5),
        partial(plain_petl.PlainAdaptFormer, width=5, scale=0.1),
        [f'mlp_adapter.{name}' for name in ADAPTER],
    ),
    'st_adapter': (
        STAdapter,
        dict(num_frames=4, adapter_dims=6),
        partial(
            plain_petl.PlainSTAdapter, width=6, frames=4, places=('attn',)
        ),
        [f'attn_adapter.{name}' for name in CONV],
    ),
    'lora': (
        LoRA,
        dict(rank=3, alpha=6),
        partial(plain_petl.PlainLoRA, rank=3, alpha=6, targets=('q', 'v')),
        [f'lora.{name}.{m}' for name in 'qv' for m in 'AB'],
    ),
}
VARIANTS = {
    'st_adapter_twice': (
        STAdapter,
        dict(num_frames=4, adapter_dims=6, places=('attn', 'mlp')),
        partial(
            plain_petl.PlainSTAdapter,
            width=6,
            frames=4,
            places=('attn', 'mlp'),
        ),
    ),
    'lora_everywhere': (
        LoRA,
        dict(rank=2, targets=EVERYWHERE),
        partial(plain_petl.PlainLoRA, rank=2, alpha=8, targets=EVERYWHERE),
    ),
}
every_method = pytest.mark.parametrize('name', METHODS)
every_dialect = pytest.mark.parametrize('dialect', ['clip', 'imagenet'])


def tiny(name, **kwargs):
    torch.manual_seed(0)
    method, given = {**METHODS, **VARIANTS}[name][:2]
    return method(**{**dict(arch='tiny', img_size=16), **given, **kwargs})


def randomize(module, trained_only=True):
    for param in module.parameters():
        if param.requires_grad or not trained_only:
            nn.init.normal_(param, std=0.2)
    return module


def image_model(model, **kwargs):
    """Build the image ViT with the trunk of a method."""
    vit = ImageViT(**{**dict(arch='tiny', img_size=16), **kwargs})
    own = model.state_dict()
    vit.load_state_dict({name: own[name] for name in vit.state_dict()})
    return vit


@pytest.mark.parametrize('name', ['adaptformer', 'st_adapter', 'lora'])
@every_dialect
def test_a_new_one_leaves_the_image_model_unchanged(name, dialect):
    model, video = tiny(name, dialect=dialect), torch.randn(VIDEO)
    wanted = image_model(model, dialect=dialect)(video)
    assert_close(model(video), wanted)
    assert (randomize(model)(video) - wanted).abs().max() > 0.01


@every_dialect
def test_new_prompts_change_what_is_attended_to_and_nothing_else(dialect):
    model, video = tiny('vpt', dialect=dialect), torch.randn(VIDEO)
    wanted = image_model(model, dialect=dialect)(video)
    assert (model(video) - wanted).abs().max() > 1e-4
    bound = (6 / (3 * 8 * 8 + 32)) ** 0.5
    for block in model.transformer.resblocks:
        assert 0.8 * bound < block.prompts.abs().max() <= bound
        nn.init.zeros_(block.attn.in_proj_weight[64:])  # all values alike
    wanted = image_model(model, dialect=dialect)(video)
    assert_close(model(video), wanted)


@pytest.mark.parametrize('name', [*METHODS, *VARIANTS])
@every_dialect
def test_equals_the_plain_restatement(name, dialect):
    model = randomize(tiny(name, dialect=dialect), trained_only=False)
    plain = plain_petl.PlainViT(
        {**METHODS, **VARIANTS}[name][2], 32, 2, 2, 8, 16, dialect
    )
    weights = {
        key: value[..., None, None] if '.conv.weight' in key else value
        for key, value in model.state_dict().items()
    }
    missing, unknown = plain.load_state_dict(weights, strict=False)
    assert not unknown  # what the last block need not have reaches nobody
    assert all('resblocks.1.mlp_adapter' in key for key in missing)
    video, weight = torch.randn(VIDEO), torch.randn(2, 32, 4, 1, 1)
    outputs = [module(video) for module in (model, plain)]
    for output in outputs:
        (output * weight).sum().backward()
    scale = outputs[1].abs().max().item()
    assert_close(*outputs, rtol=0, atol=2e-5 * scale)
    wanted = dict(plain.named_parameters())
    trained = [n for n, p in model.named_parameters() if p.requires_grad]
    largest = max(wanted[key].grad.abs().max() for key in trained).item()
    for key, param in model.named_parameters():
        if param.requires_grad:
            theirs = wanted[key].grad.view_as(param)
            atol = max(1e-4 * theirs.abs().max().item(), 1e-6 * largest)
            assert_close(param.grad, theirs, rtol=0, atol=atol)


def test_only_the_st_adapter_sees_other_frames():
    video = torch.randn(VIDEO)
    other = video.clone()
    other[:, :, 1] = torch.randn(2, 3, 16, 16)
    for name in METHODS:
        model = randomize(tiny(name))
        moved = (model(video) - model(other)).abs().amax((0, 1, 3, 4)) > 1e-5
        # Two blocks of a kernel of three reach two frames away.
        far = name == 'st_adapter'
        assert moved.tolist() == [far, True, far, far], name


def test_the_order_of_frames_matters_to_the_st_adapter_only():
    video = torch.randn(VIDEO)
    for name in METHODS:
        model = randomize(tiny(name))
        gap = model(video).mean(2) - model(video.flip(2)).mean(2)
        assert (gap.abs().max() > 1e-4) == (name == 'st_adapter'), name
