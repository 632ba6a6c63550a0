"""ViViT: lean against plain, memory, precision, compilers."""

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.inspect.complexity import count_flops, count_params
from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import (
    ViViT,
    ViViTFactorisedDotProduct,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from tests.methods.vivit_samples import (
    VIDEO,
    every_model,
    randomize,
    tiny,
)


@pytest.mark.parametrize('tubelet_size', [2, 4])
@pytest.mark.parametrize(
    'arch,c,layers,heads',
    [
        ('base-p16', 768, 12, 12),
        ('large-p16', 1024, 24, 16),
        ('huge-p16', 1280, 32, 16),
    ],
)
def test_sizes_of_b_l_and_h(arch, c, layers, heads, tubelet_size):
    with torch.device('meta'):
        model = ViViT(arch=arch, tubelet_size=tubelet_size)
    assert {b.attn.num_heads for b in model.transformer.resblocks} == {heads}
    block = 12 * c * c + 13 * c  # attention, MLP, biases, two norms
    kernel = 3 * tubelet_size * 16 * 16 * c + c
    tokens = 1 + 32 // tubelet_size * 14 * 14
    wanted = layers * block + kernel + (tokens + 1) * c + 2 * c
    assert count_params(model).total == wanted


@pytest.mark.parametrize('kind', [ViViT, ViViTFactorisedEncoder])
def test_the_last_block_is_computed_for_what_is_read(kind):
    """Queries, output projection and MLP of one token instead of all."""
    model, c = tiny(kind, tubelet_size=1), 32
    video = (1, 3, 4, 16, 24)
    saved = count_flops(model, video, as_published=True) - count_flops(
        model, video
    )
    heads_apart = (1 + 1 + 2 * 4) * c * c  # q, out, MLP of a token

    def spared(tokens):
        return (tokens - 1) * (heads_apart + 2 * tokens * c)

    if kind is ViViT:
        assert saved == spared(1 + 4 * 6)
    else:  # four time steps; the temporal encoder has 1 + 4 tokens
        assert saved == 4 * spared(1 + 6) + spared(1 + 4)


@every_model
def test_a_block_keeps_no_more_than_it_must(kind):
    """Tokens are not copied around the attention over time."""
    size, kept = dict(num_heads=2, embed_dims=32, patch_size=8), []
    given = dict(num_frames=64, img_size=24, out_type='avg_featmap')
    for depth in (2, 4):
        model = tiny(kind, arch=dict(size, num_layers=depth), **given)
        video = torch.ones(2, 3, 64, 24, 24)
        kept.append(saved_bytes(model, lambda m=model, v=video: m(v)))
    tokens = 2 * 32 * 9 * 32 * 4  # bytes of a map
    # Input, norm, q, k, v and what is attended; input, norm and 2 x 4 of the
    # MLP; less than half for statistics. Model 3 has one more attention,
    # model 4 puts the halves of what is attended together.
    more = {ViViTFactorisedSelfAttention: 6, ViViTFactorisedDotProduct: 1}
    assert (kept[1] - kept[0]) / 2 / tokens < 16.5 + more.get(kind, 0)


@every_model
def test_checkpointing_changes_nothing_but_memory(kind):
    grads = []
    for with_cp in (False, True, 'mlp'):
        model = tiny(kind, with_cp=with_cp, drop_path_rate=0.3).train()
        randomize(model)
        torch.manual_seed(1)
        model(torch.ones(VIDEO)).square().mean().backward()
        grads.append([p.grad for p in model.parameters()])
    for other in grads[1:]:
        assert_close(other, grads[0])


@every_model
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_agrees_with_float32(kind, dtype):
    model = tiny(kind, drop_path_rate=0.1).train()
    randomize(model, std=0.1)
    video, grads = torch.randn(VIDEO), []
    for enabled in (False, True):
        model.zero_grad()
        torch.manual_seed(1)
        with torch.autocast('cpu', dtype=dtype, enabled=enabled):
            out = model(video)
        out.float().square().mean().backward()
        grads.append({n: p.grad for n, p in model.named_parameters()})
    for name, grad in grads[0].items():
        assert grads[1][name].dtype == torch.float32
        if 'in_proj_bias' not in name:  # of keys, only rounding
            error = (grads[1][name] - grad).abs().max() / grad.abs().max()
            assert error < 0.1, name


def test_norms_and_activations_are_not_kept():
    """Ten maps a block: two residuals, q, k, v, outcome, hidden layer."""
    torch.manual_seed(0)
    sizes = dict(embed_dims=64, num_layers=4, num_heads=4, patch_size=8)
    model = ViViT(
        arch=sizes, img_size=64, num_frames=8, out_type='avg_featmap'
    )
    video = torch.randn(1, 3, 8, 64, 64)
    kept = saved_bytes(model.train(), lambda: model(video))
    tokens = 4 * 64 * 64 * 4  # bytes of a map
    pixels = video.nbytes
    assert 4 * 10 * tokens < kept < 4 * 10.6 * tokens + 3 * tokens + pixels
