"""VPT, AdaptFormer, ST-Adapter, LoRA: precision, memory, modes, errors."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.parts.lean_adapter import bottleneck
from tests.compare import compare
from tests.methods.test_petl import (
    METHODS,
    VARIANTS,
    VIDEO,
    every_dialect,
    every_method,
    image_model,
    randomize,
    tiny,
)
from tests.reference import plain_petl

# Large enough for the fast products of a CPU.
LARGE = dict(embed_dims=192, num_layers=4, num_heads=3, patch_size=8)
# Widths, and the most that may be kept of what the plain one keeps.
BOUNDS = {
    'vpt': (dict(num_prompts=9), 0.55),
    'adaptformer': (dict(adapter_dims=48), 0.53),
    'st_adapter': (dict(adapter_dims=96), 0.61),
    'lora': (dict(rank=4), 0.53),
}


def gradients(model, video):
    output = model(video)
    weight = torch.linspace(-1, 1, output.numel()).view_as(output)
    model.zero_grad()
    (output * weight).sum().backward()
    grads = {n: p.grad for n, p in model.named_parameters()}
    return {n: g.clone() for n, g in grads.items() if g is not None}


def agree(actual, wanted, tol):
    assert set(actual) == set(wanted)
    largest = max(grad.abs().max() for grad in wanted.values()).item()
    for name, grad in wanted.items():
        assert actual[name].dtype == torch.float32
        atol = max(tol * grad.abs().max().item(), tol * largest / 100)
        assert_close(
            actual[name].view_as(grad), grad, rtol=0, atol=atol, msg=name
        )


def plain_of(name, model, img_size=64, **arguments):
    """Build the plain re-statement of a large model, with its weights."""
    block = METHODS[name][2]
    renamed = dict(adapter_dims='width', rank='rank')
    renamed = {renamed.get(k, k): v for k, v in arguments.items()}
    plain = plain_petl.PlainViT(
        lambda *sizes: block(*sizes, **renamed), 192, 4, 3, 8, img_size
    )
    plain.load_state_dict(
        {
            key: value[..., None, None] if '.conv.weight' in key else value
            for key, value in model.state_dict().items()
        }
    )
    own = dict(model.named_parameters())
    for key, param in plain.named_parameters():
        param.requires_grad_(own[key].requires_grad)
    return plain


@every_method
def test_half_of_the_plain_memory_and_the_same_gradients(name):
    """At a size where products take the fast path."""
    arguments, bound = BOUNDS[name]
    model = tiny(name, arch=LARGE, img_size=64, **arguments)
    plain = plain_of(name, randomize(model), **arguments)
    video = torch.randn(2, 3, 4, 64, 64)
    agree(gradients(model, video), gradients(plain, video), 5e-4)
    ours, theirs = (
        saved_bytes(module.train(), lambda m=module: m(video))
        for module in (model, plain)
    )
    assert 0.3 * theirs < ours <= bound * theirs, ours / theirs


@pytest.mark.parametrize('name', [*METHODS, *VARIANTS])
def test_checkpointing_changes_nothing_but_memory(name):
    grads, saved, video = [], [], torch.randn(VIDEO)
    for with_cp in (False, 'mlp', True):
        model = randomize(tiny(name, with_cp=with_cp).train())
        grads.append(gradients(model, video))
        saved.append(saved_bytes(model, lambda m=model: m(video)))
    for other in grads[1:]:
        agree(other, grads[0], 1e-5)
    assert saved[0] > saved[1] > 2 * saved[2]


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', [*METHODS, *VARIANTS])
def test_autocast_agrees_with_float32(name, dtype):
    model, video = randomize(tiny(name)), torch.randn(VIDEO)
    wanted = gradients(model, video)
    with torch.autocast('cpu', dtype=dtype):
        output = model(video)
        actual = gradients(model, video)
    assert output.dtype == torch.float32  # norms stay in float32
    agree(actual, wanted, 0.15)


@every_method
def test_the_trunk_loads_and_what_is_new_may_be_missing(name, tmp_path):
    source = randomize(image_model(tiny(name), full_finetune=True))
    torch.save(source.state_dict(), tmp_path / 'image.pth')
    model = tiny(name, pretrained=str(tmp_path / 'image.pth'))
    model.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    with pytest.warns(UserWarning, match='frozen trunk has random weights'):
        tiny(name).init_weights()


@pytest.mark.parametrize('name', [*METHODS, *VARIANTS])
@every_dialect
def test_its_own_checkpoints_are_not_taken_for_others(name, dialect, tmp_path):
    source = randomize(tiny(name, dialect=dialect), trained_only=False)
    wanted = source.state_dict()
    torch.save(wanted, tmp_path / 'own.pth')
    loaded = tiny(name, dialect=dialect, pretrained=str(tmp_path / 'own.pth'))
    loaded.init_weights()
    wrapped = torch.nn.ModuleDict(dict(backbone=tiny(name, dialect=dialect)))
    wrapped.load_state_dict({f'backbone.{k}': v for k, v in wanted.items()})
    for model in (loaded, wrapped.backbone):
        for key, value in model.state_dict().items():
            assert torch.equal(value, wanted[key]), key


@pytest.mark.parametrize('act', ['gelu', 'relu', 'none'])
@pytest.mark.parametrize('bias', [True, False])
def test_bottlenecks_of_every_kind(act, bias):
    torch.manual_seed(0)
    sizes = [(5, 8), (3, 8), (8, 3), (3,), (8,)]
    inputs = [torch.randn(s, dtype=torch.float64) for s in sizes]
    function = dict(
        gelu=torch.nn.functional.gelu, relu=torch.relu, none=lambda x: x
    )[act]

    def plain(x, w1, w2, b1=None, b2=None):
        hidden = function(torch.nn.functional.linear(x, w1, b1))
        return torch.nn.functional.linear(hidden, w2, b2)

    def ours(x, w1, w2, b1=None, b2=None):
        return bottleneck(x, (w1, b1), (w2, b2), act)

    compare(ours, plain, *inputs[: 5 if bias else 3], tol=1e-12)


@every_method
def test_any_frame_may_be_dropped(name):
    model = randomize(tiny(name, drop_path_rate=0.9)).train()
    video = torch.randn(VIDEO)
    assert (model(video) != model(video)).any()
    model.eval()
    assert torch.equal(model(video), model(video))
    frozen = ImageViT(arch='tiny', img_size=16, drop_path_rate=0.9).train()
    assert torch.equal(frozen(video), frozen(video))
