"""EVL's decoder, part by part: how it starts, what the goldens hold of it."""

import math

import pytest
import torch
from mmaction.registry import MODELS
from torch.testing import assert_close

from mmvidadapt.methods.evl.block import neighbour_attention
from mmvidadapt.methods.evl.decoder import NeighbourMotion, offset_index
from mmvidadapt.methods.evl.lean_motion import (
    LeanNeighbourMotion,
    lean_neighbour_attention,
    relative_sum,
)
from tests.compare import compare
from tests.golden import ROOT, load_golden
from tests.methods.cases.evl import TEMPORAL, recognizer
from tests.methods.test_evl import VIDEO, randomize, tiny_evl

FINETUNED = ROOT / 'tests' / 'reference' / 'evl_finetune_on.pt'


def assert_uniform(tensor, bound):
    """Check the bound, that it is reached, and the spread."""
    largest = tensor.abs().max().item()
    assert 0.9 * bound < largest <= bound
    spread = bound / math.sqrt(3)
    assert tensor.std().item() == pytest.approx(spread, rel=0.1)


def test_the_decoder_starts_as_the_official_one():
    given = dict(decoder_mlp_ratio=2.0, decoder_qkv_dims=48)
    evl = tiny_evl(**given, decoder_dropout=0.25)
    evl.init_weights()
    assert len(evl.decoder.layers) == 2
    for layer in evl.decoder.layers:
        for linear in layer.attn.children():
            fan = sum(linear.weight.shape)
            assert_uniform(linear.weight, math.sqrt(6 / fan))
            assert not linear.bias.any()
        for linear in (layer.mlp.fc1, layer.mlp.fc2):
            assert_uniform(linear.weight, math.sqrt(6 / (32 + 64)))
            assert 0.6e-6 < linear.bias.std() < 1.5e-6
        for param in layer.temporal_conv.parameters():
            assert_uniform(param, 1 / math.sqrt(3))
        for norm in (layer.norm1, layer.norm2, layer.norm3):
            assert (norm.weight == 1).all() and not norm.bias.any()
            assert norm.eps == 1e-5
        assert not layer.temporal_pos_embed.any()
        assert not layer.motion.w1.any() and not layer.motion.w2.any()
        assert layer.mlp.dropout.p == 0.25
    assert not evl.decoder.cls_token.any()
    assert tiny_evl().decoder.layers[0].mlp.dropout.p == 0.5


def test_the_classifier_starts_as_pytorch_makes_it():
    torch.manual_seed(0)
    head = MODELS.build(dict(type='EVLHead', num_classes=90, in_channels=64))
    head.init_weights()
    for param in head.fc_cls.parameters():
        assert_uniform(param, 1 / math.sqrt(64))
    assert (head.norm.weight == 1).all() and not head.norm.bias.any()


def test_all_modules_over_a_trunk_in_fp16():
    """The golden is float32; official fp16 moves others by up to 5e-3."""
    golden = load_golden(FINETUNED)
    model = recognizer(golden, full_finetune=False, trunk_dtype='fp16')
    assert model.backbone.decoder.layers[0].motion.w1.requires_grad
    model.load_state_dict(golden['state_dict'])
    scores = model(golden['input'][:, None], stage='head')
    assert_close(scores, golden['output'], rtol=0, atol=1e-2)
    assert not torch.equal(scores, golden['output'])


def test_one_frame_has_no_motion_and_a_gradient_of_zero():
    evl = tiny_evl(num_frames=1).eval()
    without = tiny_evl(num_frames=1, temporal=TEMPORAL[:2]).eval()
    randomize(evl)
    missing, _ = without.load_state_dict(evl.state_dict(), strict=False)
    assert missing == []
    video = torch.randn(2, 3, 1, *VIDEO[-2:])
    out = evl(video)
    assert_close(out, without(video))
    out.sum().backward()
    for layer in evl.decoder.layers:  # DDP waits for every gradient
        for table in (layer.motion.w1, layer.motion.w2):
            assert table.grad is not None and not table.grad.any()


@pytest.mark.parametrize('grid', [(3, 4), (4, 3), (1, 5), (5, 1)])
def test_relative_sum_is_the_gathered_one(grid):
    torch.manual_seed(0)
    h, w = grid
    attention = torch.rand(6, h * w, h * w)
    table = torch.randn((2 * h - 1) * (2 * w - 1), 8)
    index = offset_index(grid, table.device)
    for p in range(h * w):  # a patch to the left and above comes later
        assert index[p, 0] == (p // w + h - 1) * (2 * w - 1) + p % w + w - 1

    def gathered(attention, table):
        return torch.einsum('mpj,pjc->mpc', attention, table[index])

    def ours(attention, table):
        return relative_sum(attention, table, grid)

    compare(ours, gathered, attention, table)
    with torch.no_grad():  # the other path
        assert_close(ours(attention, table), gathered(attention, table))


@pytest.mark.parametrize('prefix', [0, 1, 5])
def test_only_patches_move(prefix):
    """Whatever stands before them: nothing, a class token, registers."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 6, 2, prefix + 12, 4).double()  # (2 * T, heads, ..)
    wanted = neighbour_attention(q, k, 3, prefix)
    others = q.clone()
    others[:, :, :prefix] = 9.0
    assert torch.equal(neighbour_attention(others, k, 3, prefix), wanted)
    assert_close(lean_neighbour_attention(q, k, 3, prefix), wanted)
    plain, lean = (
        kind(8, (3, 4), prefix).double()
        for kind in (NeighbourMotion, LeanNeighbourMotion)
    )
    randomize(plain)
    lean.load_state_dict(plain.state_dict())
    motion = plain(wanted)
    assert motion.shape == (2, 3, prefix + 12, 8)
    assert not motion[:, :, :prefix].any() and motion[:, :, prefix:].all()
    assert_close(lean(wanted), motion)
