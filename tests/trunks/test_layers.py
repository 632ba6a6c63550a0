"""Layers against what torch has, gradients and saved tensors included."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvidadapt.apis.train.memory import saved_bytes
from mmvidadapt.trunks.parts.activation import QuickGELU
from mmvidadapt.trunks.parts.drop_path import DropPath, linear_rates
from mmvidadapt.trunks.parts.freeze import freeze_except
from mmvidadapt.trunks.parts.lean_attention import LeanAttention, attend
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from tests.compare import compare

C = 96


def test_quick_gelu_is_the_formula_and_saves_one_tensor():
    x = torch.linspace(-9, 9, 1001, dtype=torch.float64)
    compare(QuickGELU(), lambda t: t * torch.sigmoid(1.702 * t), x, tol=1e-12)
    x.requires_grad_()
    assert saved_bytes(nn.Module(), lambda: QuickGELU()(x)) == x.nbytes
    frozen = x.detach().clone()
    with torch.no_grad():
        QuickGELU()(frozen)
    assert torch.equal(frozen, x)  # in place only on its own copy


def attentions(heads=4):
    """Build ours and torch's with the same weights."""
    torch.manual_seed(0)
    ours = LeanAttention(C, heads).double()
    theirs = nn.MultiheadAttention(C, heads, batch_first=True).double()
    for param in ours.parameters():
        nn.init.normal_(param, std=0.2)
    theirs.load_state_dict(ours.state_dict(), strict=True)

    def attend(query, x):
        return theirs(query, x, x, need_weights=False)[0]

    return ours, attend


def test_attention_in_space():
    ours, attend = attentions()
    x = torch.randn(3, 7, C, dtype=torch.float64)
    compare(ours, lambda t: attend(t, t), x, tol=1e-12)
    compare(
        lambda t: ours(t, t[:, :1]),
        lambda t: attend(t[:, :1], t),
        x,
        tol=1e-12,
    )
    query = torch.randn(3, 2, C, dtype=torch.float64)
    compare(
        lambda t, q: ours(t, q), lambda t, q: attend(q, t), x, query, tol=1e-12
    )


def test_attention_in_time_is_one_attention_per_patch():
    ours, attend = attentions()
    clips = torch.randn(2, 5, 7, C, dtype=torch.float64)  # (B, T, N, C)

    def patch_by_patch(t):
        return torch.stack([attend(p, p) for p in t.unbind(2)], dim=2)

    compare(ours, patch_by_patch, clips, tol=1e-12)


def test_a_mask_is_added_to_the_scores():
    torch.manual_seed(0)
    x, weight = torch.randn(3, 7, 2, C), torch.randn(3 * C, C) / C
    bias, mask = torch.randn(3 * C), torch.randn(1, 2 * 4, 7, 7)

    def by_hand(x, weight, bias, mask):
        q, k, v = (
            t.unflatten(-1, (4, -1)).movedim(1, 3)  # (S, 2, heads, L, C / 4)
            for t in F.linear(x, weight, bias).chunk(3, dim=-1)
        )
        scores = q @ k.mT / (C / 4) ** 0.5 + mask.unflatten(1, (2, 4))
        return (scores.softmax(-1) @ v).movedim(3, 1).flatten(-2)

    compare(
        lambda x, w, b, m: attend(x, w, b, 4, mask=m),
        by_hand, x, weight, bias, mask,
    )  # fmt: skip


def test_attention_wants_equal_heads():
    with pytest.raises(ValueError, match='num_heads=5 .* embed_dims=96'):
        LeanAttention(C, 5)


@pytest.mark.parametrize(
    'per,dims',
    [('sample', {0}), ('frame', {0, 1}), ('position', {0, 2}), ('token', {2})],
)
def test_drop_path_drops_and_keeps_the_mean(per, dims):
    torch.manual_seed(0)
    drop = DropPath(0.2, num_frames=4, per=per).train()
    sizes = (500, 4, 500, 3)  # (B, T, N, C)
    x = torch.ones(sizes).flatten(0, 1)
    mask = drop(x).unflatten(0, sizes[:2])
    values = mask.unique().tolist()
    assert values == pytest.approx([0, 1.25])
    assert mask.mean().item() == pytest.approx(1, abs=0.06)
    for dim in range(4):
        varies = bool((mask != mask.narrow(dim, 0, 1)).any())
        assert varies == (dim in dims), dim
    assert drop.eval()(x) is x
    assert DropPath(0.0).train()(x) is x


def test_drop_path_arguments():
    for rate in (-0.1, 1.0):
        with pytest.raises(ValueError, match=f'rate {rate} is not'):
            DropPath(rate)
    with pytest.raises(ValueError, match="per='clip': choose from .'sample'"):
        DropPath(0.1, per='clip')
    assert linear_rates(0.2, 5) == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert linear_rates(0.2, 1) == [0]


def test_freezing_by_whole_names():
    module = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    freeze_except(module, (r'1\..*', '0.bias'))
    assert [p.requires_grad for p in module.parameters()] == [
        False,
        True,
        True,
        True,
    ]
    for pattern in ('bias', r'2\..*', '0', r'1\.w'):  # no whole name
        with pytest.raises(ValueError, match='No parameter of Sequential'):
            freeze_except(module, ('0.bias', pattern))
    freeze_except(module, ())
    assert not any(p.requires_grad for p in module.parameters())


@pytest.mark.parametrize('recompute', [False, True])
@pytest.mark.parametrize('act', ['gelu', 'quick_gelu'])
def test_block_for_the_class_token_alone(act, recompute):
    torch.manual_seed(0)
    block, last = (LeanViTBlock(C, 4, act=act) for _ in range(2))
    last.load_state_dict(block.state_dict())
    last.recompute_mlp, last.only_readout = recompute, True
    x = torch.randn(3, 7, C)
    compare(last, lambda t: block(t)[:, :1], x)
    assert last(x).shape == (3, 1, C)


@pytest.mark.parametrize('act,norm_eps', [('gelu', 0.1), ('quick_gelu', 0.5)])
def test_block_is_the_equation(act, norm_eps):
    torch.manual_seed(0)
    block = LeanViTBlock(C, 4, mlp_ratio=2.0, act=act, eps=norm_eps)
    for param in block.parameters():
        nn.init.normal_(param, std=0.1)
    mha = nn.MultiheadAttention(C, 4, batch_first=True)
    mha.load_state_dict(block.attn.state_dict())
    gelu = F.gelu if act == 'gelu' else lambda t: t * torch.sigmoid(1.702 * t)

    def equation(x):
        h = F.layer_norm(x, (C,), block.ln_1.weight, block.ln_1.bias, norm_eps)
        x = x + mha(h, h, h, need_weights=False)[0]
        h = F.layer_norm(x, (C,), block.ln_2.weight, block.ln_2.bias, norm_eps)
        assert block.mlp.c_fc.out_features == 2 * C
        return x + block.mlp.c_proj(gelu(block.mlp.c_fc(h)))

    compare(block, equation, torch.randn(3, 7, C))


def test_recomputing_the_mlp_saves_less():
    kept = []
    for recompute in (False, True):
        block = LeanViTBlock(C, 4).requires_grad_(False)
        block.recompute_mlp = recompute
        x = torch.randn(3, 7, C, requires_grad=True)
        kept.append(saved_bytes(block, lambda b=block, t=x: b(t)))
    assert kept[0] - kept[1] >= 3 * 7 * 4 * C * 4  # the wide activation
