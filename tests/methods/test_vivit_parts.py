"""ViViT: fresh weights, drop path, the head, wrong arguments."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.models import (
    ViViT,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from mmvidadapt.trunks.parts.drop_branch import DropBranch
from tests.methods.vivit_samples import (
    KINDS,
    VIDEO,
    every_model,
    randomize,
    tiny,
)


def test_fresh_weights_are_those_of_flax():
    model = tiny(ViViTFactorisedEncoder, arch='base-p16', img_size=32)
    block = model.transformer.resblocks[0]
    for third in block.attn.in_proj_weight.chunk(3):  # each by itself
        assert third.abs().max().item() == pytest.approx(
            (3 / 768) ** 0.5, rel=1e-3
        )
    bound = (6 / (5 * 768)) ** 0.5
    assert block.mlp.c_fc.weight.abs().max().item() == pytest.approx(
        bound, rel=1e-3
    )
    assert block.mlp.c_fc.bias.std().item() == pytest.approx(1e-6, rel=0.1)
    fan_in = 3 * 2 * 16 * 16
    std = model.conv1.weight.std().item()
    assert std * fan_in**0.5 == pytest.approx(1, rel=0.01)
    std = model.temporal.positional_embedding.std().item()
    assert std == pytest.approx(0.02, rel=0.1)
    zeros = (
        model.class_embedding,
        model.conv1.bias,
        block.attn.in_proj_bias,
        block.attn.out_proj.bias,
    )
    assert not any(param.any() for param in zeros)


def test_the_head_averages_scores_over_views():
    torch.manual_seed(0)
    head = MODELS.build(
        dict(type='ViViTHead', num_classes=5, in_channels=8, dropout_ratio=0.0)
    )
    head.init_weights()
    assert not head.fc_cls.weight.any() and not head.fc_cls.bias.any()
    torch.nn.init.normal_(head.fc_cls.weight)
    x = torch.randn(2 * 12, 8, 1, 1, 1)  # 4 x 3 views of two videos
    samples = [ActionDataSample().set_gt_label(i) for i in (0, 4)]
    found = torch.stack([s.pred_score for s in head.predict(x, samples)])
    scores = head.fc_cls(x.flatten(1)).unflatten(0, (2, 12)).mean(1)
    assert_close(found, scores.softmax(-1))
    head.average_clips = 'prob'
    found = torch.stack([s.pred_score for s in head.predict(x, samples)])
    probs = head.fc_cls(x.flatten(1)).softmax(-1).unflatten(0, (2, 12))
    assert_close(found, probs.mean(1))
    head.average_clips = 'mean'
    with pytest.raises(ValueError, match='mean'):
        head.predict(x, samples)


def dropped(mode, kind=ViViT, rate=0.5):
    model = tiny(kind, drop_path_rate=rate, drop_path_mode=mode)
    randomize(model)
    return model


@pytest.mark.parametrize('rescale', [True, False])
@pytest.mark.parametrize('num_frames', [1, 4])
def test_dropped_clips_are_not_computed(rescale, num_frames):
    torch.manual_seed(0)
    drop = DropBranch(0.25, num_frames, rescale)
    x, seen = torch.randn(256 * num_frames, 2, 3), []

    def branch(rows):
        seen.append(len(rows))
        return torch.ones_like(rows)

    added = (drop(x, branch) - x).unflatten(0, (256, num_frames))
    per_clip = added.flatten(1)
    kept = (per_clip[:, 0] > 0.1).sum()
    scale = 4 / 3 if rescale else 1.0
    values = torch.where(per_clip[:, :1] > 0.1, scale, 0.0)
    assert_close(per_clip, values.expand_as(per_clip))
    assert seen == [kept * num_frames]
    assert 0.65 < kept / 256 < 0.85
    drop.eval()
    assert_close(drop(x, branch), x + 1)
    assert seen[-1] == len(x)


def test_parameters_take_part_when_all_clips_are_dropped():
    drop, weight = DropBranch(0.999), torch.ones(3, requires_grad=True)
    torch.manual_seed(0)
    x = torch.randn(2, 5, 3)
    out = drop(x, lambda rows: rows * weight)
    assert_close(out, x)
    out.sum().backward()
    assert weight.grad is not None and not weight.grad.any()


@every_model
def test_drop_path_is_off_in_testing_and_the_same_for_a_whole_clip(kind):
    model = dropped('sample', kind).eval()
    video = torch.randn(VIDEO)
    assert_close(model(video), tiny_like(model, kind)(video))
    model.train()
    steps = [model(video) for _ in range(8)]
    assert any((steps[0] != other).any() for other in steps)
    rates = [b.drop_path.rate for b in model.transformer.resblocks]
    assert rates == [0, 0.5]
    frames = {b.drop_path.num_frames for b in model.transformer.resblocks}
    assert frames == {2 if kind is ViViTFactorisedEncoder else 1}


def tiny_like(model, kind):
    other = tiny(kind).eval()
    other.load_state_dict(model.state_dict())
    return other


def test_the_official_mode_does_not_rescale_and_spares_model_3():
    for kind in KINDS.values():
        sample, official = dropped('sample', kind), dropped('official', kind)
        ours, theirs = (
            m.transformer.resblocks[-1].drop_path for m in (sample, official)
        )
        assert (ours.rate, ours.scale) == (0.5, 2.0)
        spared = kind is ViViTFactorisedSelfAttention
        assert (theirs.rate, theirs.scale) == (0.0 if spared else 0.5, 1.0)


def test_temporal_rates_rise_by_themselves():
    model = tiny(
        ViViTFactorisedEncoder, drop_path_rate=0.4, temporal_num_layers=3
    )
    blocks = model.temporal.transformer.resblocks
    rates = [block.drop_path.rate for block in blocks]
    assert rates == pytest.approx([0, 0.2, 0.4])
    assert {block.drop_path.num_frames for block in blocks} == {1}


@pytest.mark.parametrize(
    'given,heads,width',
    [
        ({}, 4, 48),  # those of the spatial encoder
        (dict(temporal_num_heads=8, temporal_mlp_ratio=2.0), 8, 64),
    ],
)
def test_temporal_blocks_have_sizes_of_their_own(given, heads, width):
    arch = dict(embed_dims=32, num_layers=1, num_heads=4, patch_size=8)
    model = tiny(
        ViViTFactorisedEncoder, arch=dict(arch, mlp_ratio=1.5), **given
    )
    spatial, temporal = (
        encoder.transformer.resblocks[0] for encoder in (model, model.temporal)
    )
    assert spatial.attn.num_heads == 4
    assert spatial.mlp.c_fc.out_features == 48
    assert temporal.attn.num_heads == heads
    assert temporal.mlp.c_fc.out_features == width


def test_uniform_frame_sampling_reads_the_frames_of_the_paper():
    model = tiny(ViViT, num_frames=32, tubelet_size=1, sampled_frames=8)
    assert model.sampled == [4, 7, 11, 14, 18, 21, 25, 28]
    assert model.steps == 8
    video = torch.randn(1, 3, 32, 16, 24)
    wanted = tiny(ViViT, num_frames=8, tubelet_size=1)
    wanted.load_state_dict(model.state_dict())
    assert_close(model(video), wanted(video[:, :, model.sampled]))
    for number in (4, 9):
        given = dict(num_frames=4, tubelet_size=1, sampled_frames=number)
        assert tiny(ViViT, **given).sampled == [0, 1, 2, 3]
