"""AttentiveProbe: what its tokens are, and whether their order counts."""

import math

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import AttentiveProbe, ImageViT
from tests.golden import assert_gradients, assert_output, goldens, load_golden
from tests.methods.cases import REGISTERS
from tests.methods.cases.vjepa import official

GIVEN = dict(arch='tiny', img_size=(16, 24), num_frames=4)


def probe(**given):
    torch.manual_seed(0)
    model = AttentiveProbe(**{**GIVEN, **given}).eval()
    for param in model.probe.parameters():
        torch.nn.init.normal_(param, std=0.3)
    return model


@torch.no_grad()
def test_the_order_of_frames_counts_where_time_has_positions():
    clip = torch.randn(2, 3, 4, 16, 24)
    other = clip[:, :, [2, 0, 3, 1]]
    blind = probe(time_positions=None)
    difference = (blind(clip) - blind(other)).abs().max()
    assert difference < 1e-6 * blind(clip).abs().max()
    for times in ('sincos', 'rotary', 'dinov3'):
        for projected in ({}, dict(pooler=dict(embed_dims=48, num_heads=4))):
            told = probe(time_positions=times, **projected)
            assert (told(clip) - told(other)).abs().max() > 1e-3, times


def restated(model, x, dims, heads):
    """Write the probe of DINOv3 down once more, in complex numbers."""
    own = model.probe.state_dict()

    def layer(name, x):
        return x @ own[f'{name}weight'].T + own[f'{name}bias']

    def norm(name, x):
        weights = own[f'{name}.weight'], own[f'{name}.bias']
        return torch.layer_norm(x, (dims,), *weights, 1e-6)

    def mlp(name, x):
        x = torch.nn.functional.gelu(layer(f'{name}.mlp.c_fc.', x))
        return layer(f'{name}.mlp.c_proj.', x)

    def attend(q, k, v):
        q, k, v = (
            y.unflatten(-1, (heads, -1)).transpose(1, 2) for y in (q, k, v)
        )
        shares = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
        return (shares @ v).transpose(1, 2).flatten(2)

    steps, (rows, columns) = 8, model.patch_grid  # of two segments
    places = [
        (t, h, w)
        for _ in model.out_indices
        for t in range(steps)
        for h in range(rows)
        for w in range(columns)
    ]
    code = torch.zeros(len(places), dims).double()
    bands, pairs = dims // 6, dims // heads // 6
    turn = torch.ones(len(places), dims // heads // 2).cdouble()
    for i, place in enumerate(places):
        for axis, at in enumerate(place):
            for n in range(bands):
                angle = at * 10000 ** (-n / bands)
                code[i, axis * bands + n] = math.sin(angle)
                code[i, (3 + axis) * bands + n] = math.cos(angle)
            for n in range(pairs):
                angle = at * 10000 ** (-n / pairs)
                turned = complex(math.cos(angle), math.sin(angle))
                turn[i, axis * pairs + n] = turned

    def rotate(x):
        x = x.unflatten(-1, (heads, -1, 2)).contiguous()
        x = torch.view_as_complex(x) * turn[:, None]
        return torch.view_as_real(x).flatten(2)

    x = layer('proj.', x) + code
    qkv = layer('blocks.0.attn.in_proj_', norm('blocks.0.ln_1', x))
    q, k, v = qkv.chunk(3, -1)
    heard = attend(rotate(q), rotate(k), v)
    x = x + layer('blocks.0.attn.out_proj.', heard)
    x = x + mlp('blocks.0', norm('blocks.0.ln_2', x))
    kv, query = norm('cross.ln_1', x), own['query_tokens']
    weights = own['cross.attn.in_proj_weight'].chunk(3)
    biases = own['cross.attn.in_proj_bias'].chunk(3)
    query = query.expand(len(x), -1, -1)
    q, k, v = (
        y @ w.T + b for y, w, b in zip((query, kv, kv), weights, biases)
    )
    z = query + attend(q, k, v)
    return z + mlp('cross', norm('cross.ln_2', z))


@torch.no_grad()
def test_positions_in_time_and_space_are_their_description():
    given = dict(
        out_indices=(0, 1),
        num_segments=2,
        pooler=dict(embed_dims=44, num_heads=2, num_layers=1),
    )
    model = probe(time_positions='dinov3', **given)
    model = model.double()
    clips = torch.randn(4, 3, 4, 16, 24).double()
    wanted = restated(model, model.tokens(model.taps(clips)), 44, 2)
    assert_close(model(clips)[..., 0, 0].mT, wanted, rtol=0, atol=1e-6)


@torch.no_grad()
def test_tokens_are_normed_patches_and_sines_of_the_frame():
    clip = torch.randn(2, 3, 4, 16, 24)
    model = probe(dialect=REGISTERS, out_indices=(0, 1))
    weights = {
        k: v for k, v in model.state_dict().items() if k[:6] != 'probe.'
    }
    sizes = dict(GIVEN, dialect=REGISTERS, out_type='avg_featmap')
    del sizes['num_frames']
    vit = ImageViT(**sizes).eval()
    vit.load_state_dict(weights)
    x, wanted = vit.ln_pre(vit.embed(clip)), []
    for block in vit.transformer.resblocks:
        x = block(x)
        patches = vit.ln_post(x)[:, 4:].unflatten(0, (2, 4))  # (B, T, N, C)
        for t in range(4):
            for c in range(16):
                angle = t / 10000 ** (c / 16)
                patches[:, t, :, c] += math.sin(angle)
                patches[:, t, :, 16 + c] += math.cos(angle)
        wanted.append(patches.flatten(1, 2))  # (B, T*N, C)
    assert_close(model.tokens(model.taps(clip)), torch.cat(wanted, 1))


@pytest.mark.parametrize('path', goldens('trunk_hf_vjepa2_probe.pt'))
@pytest.mark.parametrize('lean', [True, False])
def test_tokens_are_read_as_hugging_face_reads_them(path, lean):
    golden, hub = load_golden(path), official(path)
    width = golden['tokens'].shape[-1]
    model = AttentiveProbe(
        arch=dict(embed_dims=width, num_layers=1, num_heads=2, patch_size=16),
        img_size=64,
        num_frames=4,  # as many steps, of 4 x 4 patches
        time_positions=None,
        lean=lean,
    )
    pooler = hub.model.backbone.attn_pool
    model.probe.load_state_dict(pooler.state_dict(), strict=True)
    model.ln_post = torch.nn.Identity()  # they are normed
    tokens = golden['tokens'].unflatten(1, (4, 16))  # (B, T, N, C)
    first = tokens[:, :, :1]  # (B, T, 1, C), a class token
    features = model.read([(torch.cat([first, tokens], 2), None)])
    scores = hub.model.cls_head(features)
    assert_output(scores, hub.wanted)
    (scores * hub.weight).sum().backward()
    name = 'backbone.attn_pool.'
    grads = {k.replace(name, ''): v for k, v in hub.grads.items() if name in k}
    assert len(grads) == len(hub.grads) - 2  # the head's
    assert_gradients(model.probe, grads)


@torch.no_grad()
@pytest.mark.parametrize('times', ['sincos', 'dinov3'])
def test_positions_outlive_types_and_memory(times):
    clip = torch.randn(2, 3, 4, 16, 24)
    model = probe(time_positions=times)
    wanted, weights = model(clip), model.state_dict()
    assert_close(model.bfloat16().float()(clip), wanted, rtol=0, atol=0.3)
    with torch.device('meta'):
        other = AttentiveProbe(**GIVEN, time_positions=times)
    other = other.to_empty(device='cpu').eval()
    other.load_state_dict(weights)
    model.load_state_dict(weights)
    assert_close(other(clip), model(clip))


@torch.no_grad()
def test_centred_tokens_know_nothing_of_what_stands_still():
    taps = [(torch.randn(2, 4, 7, 32).half(), None)]
    still = [(taps[0][0] + torch.randn(2, 1, 7, 32).half(), None)]
    model = probe(center=True)
    model.ln_post = torch.nn.Identity()
    tokens, others = model.tokens(taps), model.tokens(still)
    assert tokens.dtype == torch.float32
    assert_close(tokens, others, rtol=0, atol=5e-3)  # half precision
    plain = probe()
    plain.ln_post = torch.nn.Identity()
    assert (plain.tokens(taps) - plain.tokens(still)).abs().max() > 1
    code = plain.tokens([(torch.zeros(2, 4, 7, 32), None)])
    assert_close(tokens.mean(1), code.mean(1), rtol=0, atol=1e-3)


@pytest.mark.parametrize('pooler', [dict(num_layers=0), dict(num_layers=1)])
def test_nothing_of_the_trunk_is_kept_for_the_backward_pass(pooler):
    clip, kept = torch.randn(1, 3, 4, 16, 24), []
    for depth in (1, 3):
        sizes = dict(embed_dims=32, num_layers=depth, num_heads=2)
        model = probe(arch=dict(sizes, patch_size=8), pooler=pooler).train()
        kept.append(saved_bytes(model, lambda m=model: m(clip).sum()))
    assert kept[0] == kept[1] > 0
