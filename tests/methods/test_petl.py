"""VPT, AdaptFormer, ST-Adapter, LoRA: the four tests of each method."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import VPT, AdaptFormer, ImageViT, LoRA, STAdapter
from mmvidadapt.trunks.parts.lean import use_equation_

VIDEO = (2, 3, 4, 16, 16)  # (B, 3, T, H, W)
EVERYWHERE = ('q', 'k', 'v', 'o')
METHODS = {
    'vpt': (VPT, dict(num_prompts=3)),
    'adaptformer': (AdaptFormer, dict(adapter_dims=5)),
    'st_adapter': (STAdapter, dict(num_frames=4, adapter_dims=6)),
    'lora': (LoRA, dict(rank=3, alpha=6)),
}
VARIANTS = {
    'st_adapter_twice': (
        STAdapter,
        dict(num_frames=4, adapter_dims=6, places=('attn', 'mlp')),
    ),
    'lora_everywhere': (LoRA, dict(rank=2, targets=EVERYWHERE)),
}
# Large enough for the fast products of a CPU.
LARGE = dict(embed_dims=192, num_layers=4, num_heads=3, patch_size=8)
# Widths, and the most that may be kept of what the equation keeps.
BOUNDS = {
    'vpt': (dict(num_prompts=9), 0.73),
    'adaptformer': (dict(adapter_dims=48), 0.71),
    'st_adapter': (dict(adapter_dims=96), 0.79),
    'lora': (dict(rank=4), 0.77),
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


@every_method
def test_less_memory_than_the_equation(name):
    """At a size where products take the fast path."""
    arguments, bound = BOUNDS[name]
    model = randomize(tiny(name, arch=LARGE, img_size=64, **arguments))
    video = torch.randn(2, 3, 4, 64, 64)
    lean, plain = (
        saved_bytes(m.train(), lambda m=m: m(video))
        for m in (model, use_equation_(copy.deepcopy(model)))
    )
    assert 0.3 * plain < lean <= bound * plain, (name, lean / plain)


def block_and_tokens(name, **given):
    """Build the first block of a method, and what it may read."""
    block = use_equation_(randomize(tiny(name, **given), False))
    return block.transformer.resblocks[0], torch.randn(8, 5, 32)


def attend(block, x, tokens):
    """Attend from x to tokens by torch's own layer."""
    mha = nn.MultiheadAttention(32, 2, batch_first=True)
    mha.load_state_dict(block.attn.state_dict())
    return mha(x, tokens, tokens, need_weights=False)[0]


def test_prompts_are_further_keys_and_values():
    block, x = block_and_tokens('vpt')
    tokens = torch.cat([x, block.prompts.expand(8, -1, -1)], dim=1)
    y = x + attend(block, block.ln_1(x), block.ln_1(tokens))
    assert_close(block(x), y + block.mlp(block.ln_2(y)))


def test_an_adapt_mlp_is_scaled_and_parallel():
    block, x = block_and_tokens('adaptformer', adapter_scale=0.3)
    h = block.ln_1(x)
    y = x + attend(block, h, h)
    h, adapter = block.ln_2(y), block.mlp_adapter
    narrow = torch.relu(h @ adapter.down.weight.T + adapter.down.bias)
    wide = narrow @ adapter.up.weight.T + adapter.up.bias
    assert_close(block(x), y + block.mlp(h) + 0.3 * wide)


@pytest.mark.parametrize('places', [('attn',), ('attn', 'mlp')])
def test_st_adapters_convolve_patches_over_time(places):
    block, x = block_and_tokens('st_adapter', places=places)

    def adapt(adapter, x):
        narrow = adapter.down(x[:, 1:]).view(2, 4, 2, 2, 6)  # (B, T, H, W, D)
        kernel = adapter.conv.weight.view(6, 1, 3, 1, 1)
        narrow = nn.functional.conv3d(
            narrow.permute(0, 4, 1, 2, 3),
            kernel,
            adapter.conv.bias,
            padding=(1, 0, 0),
            groups=6,
        )
        wide = adapter.up(nn.functional.gelu(narrow).permute(0, 2, 3, 4, 1))
        return torch.cat([x[:, :1], x[:, 1:] + wide.reshape(8, 4, 32)], dim=1)

    y = adapt(block.attn_adapter, x)
    h = block.ln_1(y)
    y = y + attend(block, h, h)
    if 'mlp' in places:
        y = adapt(block.mlp_adapter, y)
    assert_close(block(x), y + block.mlp(block.ln_2(y)))


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


@every_method
def test_any_frame_may_be_dropped(name):
    model = randomize(tiny(name, drop_path_rate=0.9)).train()
    video = torch.randn(VIDEO)
    assert (model(video) != model(video)).any()
    model.eval()
    assert torch.equal(model(video), model(video))
    frozen = ImageViT(arch='tiny', img_size=16, drop_path_rate=0.9).train()
    assert torch.equal(frozen(video), frozen(video))
