"""Parts of today's trunks: rotary positions, gates, pools, projections."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.parts.activation import LeanSwiGLU, SwiGLU
from mmvidadapt.trunks.parts.attention_pool import AttentionPool
from mmvidadapt.trunks.parts.lean import use_equation_
from mmvidadapt.trunks.parts.projection import LeanProjection
from mmvidadapt.trunks.parts.rotary import ROTARY, LeanRotary, Rotary
from mmvidadapt.trunks.parts.rotary3d import LeanRotary3D
from mmvidadapt.weights.fold import fold_layer_scale_
from tests.compare import compare

GRID, D, PREFIX = (2, 3), 8, 3  # rows and columns, channels of a head
LENGTH = PREFIX + 6 + 2  # prefix, patches and two tokens behind them
VIT = dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=True)
every_kind = pytest.mark.parametrize('kind', ROTARY)


def rotary(kind, lean=True, patches=GRID, prefix=PREFIX, grid=None):
    kind = (LeanRotary if lean else Rotary)(
        kind, patches, D, prefix, cls_token=True, grid=grid
    )
    return kind.double()


def heads(length=LENGTH):
    torch.manual_seed(0)
    return torch.randn(2, 4, length, D, dtype=torch.float64)


@every_kind
def test_only_patches_turn(kind):
    x, turn = heads(), rotary(kind)
    y, patches = turn(x), slice(PREFIX, PREFIX + 6)
    assert torch.equal(y[:, :, :PREFIX], x[:, :, :PREFIX])
    assert torch.equal(y[:, :, PREFIX + 6 :], x[:, :, PREFIX + 6 :])
    moved = (y - x)[:, :, patches].abs().amax((0, 1, 3)) > 1e-3
    assert moved[1:].all()  # the first may lie at the origin
    assert_close(y.norm(dim=-1), x.norm(dim=-1))
    for first in range(1, PREFIX + 1):  # of the class token alone, say
        assert torch.equal(turn(x[:, :, :first]), x[:, :, :first])
    compare(turn, rotary(kind, lean=False), x, tol=1e-12)
    assert saved_bytes(turn, lambda: turn(x.clone().requires_grad_())) == 0


@pytest.mark.parametrize('kind', ['eva02', 'pe'])
@pytest.mark.parametrize('patches', [(5, 4), (4, 4)])
def test_scores_depend_on_how_far_patches_lie_apart(kind, patches):
    """Equal queries and equal keys: what is left is where they are."""
    h, w = patches
    q, k = (heads(1).expand(-1, -1, h * w, -1) * s for s in (1.0, 0.5))
    turn = rotary(kind, patches=patches, prefix=0)
    scores = (turn(q) @ turn(k).mT)[0, 0].view(h, w, h, w)
    assert_close(scores[:-1, :, :-1], scores[1:, :, 1:])
    assert_close(scores[:, :-1, :, :-1], scores[:, 1:, :, 1:])
    there, down, right = (
        scores[0, 0, 0, 0],
        scores[0, 0, 1, 0],
        scores[0, 0, 0, 1],
    )
    assert min((there - down).abs(), (there - right).abs()) > 1e-3
    assert (down - right).abs() > 1e-3  # rows and columns have own channels


@pytest.mark.parametrize(
    'kind,grid,row,column,angles',
    [
        # Periods 1 and 10; centres of patches from -2 pi to 2 pi.
        ('dinov3', None, 1, 2, [3.1415927, 0.3141593, 4.1887902, 0.418879]),
        # Rates 1 and 1/100; a grid of 16: 8 rows, 5 1/3 columns a patch.
        ('eva02', None, 1, 2, [8.0, 0.08, 32 / 3, 0.32 / 3]),
        # Counted from 1 behind a class token, columns first.
        ('pe', None, 1, 2, [3.0, 0.03, 2.0, 0.02]),
        # The same on a grid of 6: 3 rows, 2 columns a patch.
        ('pe', 6, 0, 2, [6.0, 0.06, 3.0, 0.03]),
    ],
)
def test_angles_by_hand(kind, grid, row, column, angles):
    x = torch.zeros(1, 1, PREFIX + 6, D, dtype=torch.float64)
    first = [0, 1, 2, 3] if kind == 'dinov3' else [0, 2, 4, 6]
    x[..., first] = 1
    y = rotary(kind, grid=grid)(x)[0, 0, PREFIX + 3 * row + column]
    second = [i + (4 if kind == 'dinov3' else 1) for i in first]
    wanted = torch.tensor(angles, dtype=torch.float64)
    tol = dict(rtol=0, atol=1e-6)  # the tables are of single precision
    assert_close(y[first], wanted.cos(), **tol)
    assert_close(y[second], wanted.sin(), **tol)


@pytest.mark.parametrize('normed', [False, True])
def test_a_gate_keeps_its_input_alone(normed):
    torch.manual_seed(0)
    norm = nn.LayerNorm(8, eps=0.1).double() if normed else None
    x = torch.randn(3, 5, 16, dtype=torch.float64)
    lean, plain = LeanSwiGLU(norm), SwiGLU(norm)

    def by_hand(x):
        y = x[..., :8] * torch.sigmoid(x[..., :8]) * x[..., 8:]
        return (
            F.layer_norm(y, (8,), norm.weight, norm.bias, 0.1) if norm else y
        )

    for param in lean.parameters():
        nn.init.normal_(param)
    for gate in (lean, plain):
        compare(gate, by_hand, x, tol=1e-12)
    inner = x.clone().requires_grad_()
    kept = [saved_bytes(g, lambda g=g: g(inner * 1)) for g in (lean, plain)]
    assert kept[0] == x.nbytes < kept[1]


@pytest.mark.parametrize('scale', [False, True])
@pytest.mark.parametrize('eps', [None, 0.1])
def test_a_projection_is_norm_matrix_scale(eps, scale):
    torch.manual_seed(0)
    layer = LeanProjection(6, 4, eps=eps, scale=scale).double()
    for param in layer.parameters():
        nn.init.normal_(param)

    def by_hand(x):
        if eps:
            x = F.layer_norm(x, (6,), layer.norm.weight, layer.norm.bias, eps)
        y = x @ layer.weight.T + layer.bias
        return y * layer.gamma if scale else y

    x = torch.randn(3, 5, 6, dtype=torch.float64)
    compare(layer, by_hand, x, tol=1e-12)
    compare(use_equation_(copy.deepcopy(layer)), by_hand, x, tol=1e-12)


def test_an_attention_pool_asks_once():
    torch.manual_seed(0)
    pool = AttentionPool(12, 3, 2.0, 'gelu', eps=0.1).double()
    assert pool.probe.any()
    for param in pool.parameters():
        nn.init.normal_(param, std=0.5)
    attn, norm = pool.attn, pool.layernorm

    def by_hand(x):
        w, b = attn.in_proj_weight.chunk(3), attn.in_proj_bias.chunk(3)
        q = (pool.probe @ w[0].T + b[0]).view(3, 4)  # heads of 4 channels
        k, v = ((x @ w[i].T + b[i]).unflatten(-1, (3, 4)) for i in (1, 2))
        scores = torch.einsum('hd,slhd->shl', q, k) / 2
        y = torch.einsum('shl,slhd->shd', scores.softmax(-1), v).flatten(1)
        y = (y @ attn.out_proj.weight.T + attn.out_proj.bias)[:, None]
        h = F.layer_norm(y, (12,), norm.weight, norm.bias, 0.1)
        return y + pool.mlp.c_proj(F.gelu(pool.mlp.c_fc(h)))

    assert pool.mlp.c_fc.out_features == 24
    compare(
        pool, by_hand, torch.randn(2, 5, 12, dtype=torch.float64), tol=1e-12
    )


def in_new_memory(model):
    """Make a model without memory, then give it some and the weights."""
    weights = model.state_dict()
    with torch.device('meta'):
        empty = copy.deepcopy(model).to('meta')
    empty = empty.to_empty(device='cpu')
    empty.load_state_dict(weights)
    return empty


@pytest.mark.parametrize('renew', [lambda m: m, copy.deepcopy, in_new_memory])
def test_keys_stay_without_a_bias(renew):
    """Weight decay and all, where everything is trained."""
    vit = renew(vit_with(key_bias=False)(full_finetune=True))
    optimizer = torch.optim.AdamW(vit.parameters(), lr=0.1, weight_decay=0.1)
    vit(VIDEO).square().sum().backward()
    optimizer.step()
    for block in vit.transformer.resblocks:
        q, k, v = block.attn.in_proj_bias.chunk(3)
        assert not k.any() and q.all() and v.all()


@pytest.mark.parametrize(
    'module',
    [rotary('pe'), LeanRotary3D('vjepa2', (2, 2, 3), 12)],
    ids=lambda module: type(module).__name__,
)
def test_tables_outlive_types_and_memory(module):
    cos, sin = module.cos.clone(), module.sin.clone()
    for renew in (lambda m: m.half().float(), in_new_memory):
        module = renew(module)
        assert torch.equal(module.cos, cos) and torch.equal(module.sin, sin)


@pytest.mark.parametrize('sub_norm', [False, True])
def test_folding_a_scale_changes_nothing(sub_norm):
    """It is a parameter only where everything is trained."""
    traits = dict(layer_scale=True, sub_norm=sub_norm)
    build = vit_with(**traits, act='swiglu' if sub_norm else 'gelu')
    scaled = build(full_finetune=True).double()
    names = {n for n, _ in scaled.named_parameters() if n.endswith('gamma')}
    assert names == {
        f'transformer.resblocks.{i}.{layer}.gamma'
        for i in (0, 1)
        for layer in ('attn.out_proj', 'mlp.c_proj')
    }
    for param in scaled.parameters():
        nn.init.normal_(param, std=0.3)
    folded, weights = build().double(), scaled.state_dict()
    fold_layer_scale_(weights)
    folded.load_state_dict(weights, strict=True)
    video = VIDEO.double()
    close = partial(assert_close, rtol=0, atol=1e-12)
    close(folded(video), scaled(video).detach())
    # Either takes the checkpoint of the other.
    frozen, again = build().double(), build(full_finetune=True).double()
    frozen.load_state_dict(scaled.state_dict(), strict=True)
    again.load_state_dict(folded.state_dict(), strict=True)
    close(frozen(video), folded(video))
    close(again(video).detach(), folded(video))
    assert not any(p.requires_grad for p in folded.parameters())
    damaged = scaled.state_dict()
    del damaged['transformer.resblocks.0.attn.out_proj.gamma']
    with pytest.raises(ValueError, match='no LayerScale for.*blocks.0'):
        build().load_state_dict(damaged, strict=False)


VIDEO = torch.randn(
    2, 3, 2, 16, 16, generator=torch.Generator().manual_seed(0)
)


def vit_with(**traits):
    """Return a builder of a tiny ViT with traits."""
    torch.manual_seed(0)
    return partial(
        ImageViT, arch='tiny', img_size=16, dialect=dict(VIT, **traits)
    )


@pytest.mark.parametrize(
    'traits,message',
    [
        (dict(rotary='x'), 'rotary.*x.*dinov3'),
        (dict(pool='x'), 'pool.*x.*token'),
        (dict(act='swish'), 'act.*swish.*swiglu'),
        (dict(sub_norm=True), "sub_norm=True: act='gelu'.*'swiglu'"),
        (dict(head_norm=True), "dialect=.*unknown.*'head_norm'"),
        (dict(cls_token=False), 'cls_token.*avg_featmap'),
        (dict(pool='map', pool_heads=5), 'pool_heads=5 .* embed_dims=32'),
    ],
)
def test_wrong_traits_are_named(traits, message):
    with pytest.raises(ValueError, match=message):
        vit_with(**traits)()


def test_rotary_positions_want_pairs_of_rows_and_columns():
    arch = dict(embed_dims=36, num_layers=1, num_heads=6, patch_size=8)
    with pytest.raises(
        ValueError, match="rotary='pe'.* 6 channels.*num_heads"
    ):
        vit_with(rotary='pe')(arch=arch)
    with pytest.raises(ValueError, match="out_type='attn_pool'.*avg_featmap"):
        vit_with()(out_type='attn_pool')
