"""Clips that look like one recording are joined, and warned of."""

import numpy as np
import pytest
import torch

from mmvidadapt.apis.fit.scenes import (
    find_scenes,
    scene_features,
    similarity,
    warn_of_likeness,
)
from mmvidadapt.datasets.prepare.video_folders import Clip
from mmvidadapt.models import EVL, ImageViT


def features(scenes, noise=0.3, frames=4, seed=0):
    """Draw frames of clips: a background, and what moves before it."""
    rng = np.random.default_rng(seed)
    rooms = rng.normal(size=(max(scenes) + 1, 1, 64))
    moving = rng.normal(size=(len(scenes), frames, 64))
    return 5 + rooms[list(scenes)] + noise * moving  # all share the 5


def test_scenes_are_found():
    scenes = [0, 1, 2, 3, 4, 5] * 4
    frames = features(scenes)
    alike = similarity(frames)
    np.testing.assert_allclose(alike, similarity(frames.mean(1)), atol=1e-5)
    assert alike.shape == (24, 24) and np.abs(alike).max() < 1 + 1e-5
    names = find_scenes(alike)
    assert len(set(names)) == 6
    assert all((a == b) == (i == j)
               for a, i in zip(names, scenes)
               for b, j in zip(names, scenes))  # fmt: skip
    # Whatever is common to all clips does not count.
    np.testing.assert_allclose(similarity(frames + 100), alike, atol=1e-3)
    # Nothing is like anything: every clip stays alone.
    assert len(set(find_scenes(similarity(features(range(24)))))) == 24


def test_more_likeness_is_asked_for_where_little_could_be_divided():
    two = similarity(features([0, 1] * 6, noise=0.1))
    assert (two > 0.95).sum() == 72  # six and six
    assert find_scenes(two) == ['scene 1', 'scene 2'] * 6
    # Four scenes are less than five, seven with one of most clips no better.
    pairs = np.kron(np.eye(4), np.full((4, 4), 0.78))
    pairs += np.kron(np.eye(8), np.full((2, 2), 0.15))
    assert find_scenes(pairs) == [f'scene {1 + i // 2}' for i in range(16)]
    most = np.kron(np.eye(8), np.full((2, 2), 0.95))
    most[:10, :10] = np.maximum(most[:10, :10], 0.72)
    most[10:, 10:] = np.eye(6)
    assert len(set(find_scenes(most))) == 5 + 6
    # A chain leads from each clip to the next; closer ones stay together.
    near = np.abs(np.arange(12)[:, None] // 2 - np.arange(12) // 2)
    chain = np.where(near == 0, 0.95, np.where(near == 1, 0.72, 0.0))
    assert find_scenes(chain) == [f'scene {1 + i // 2}' for i in range(12)]


def test_groups_of_one_recording_are_warned_of():
    scenes = [0, 0, 1, 1, 2, 2, 3, 3]
    clips = [Clip(f'{i}.mp4', 'a', f'g{s}') for i, s in enumerate(scenes)]
    alike = similarity(features(scenes))
    assert warn_of_likeness(clips, alike) == []
    clips[1] = clips[1]._replace(group='g9')
    (said,) = warn_of_likeness(clips, alike)
    assert 'Clips of 1 pairs of groups look like one recording' in said
    assert "0.mp4 of 'g0' and 1.mp4 of 'g9' (0.9" in said
    assert '--group-pattern' in said and 'more pairs' not in said
    clips = [c._replace(group=c.path) for c in clips]
    (said,) = warn_of_likeness(clips, alike)
    assert 'and 1 more pairs' in said and said.count('.mp4 of') == 6
    alike[4, 5] = 0.99
    (said,) = warn_of_likeness(clips, alike)
    assert "recording: 4.mp4 of '4.mp4' and 5.mp4 of '5.mp4' (0.99)" in said


@pytest.mark.parametrize('bad', [np.zeros(3), np.full((2, 3), np.nan)])
def test_other_features_are_an_error(bad):
    with pytest.raises(ValueError, match=r'of shape .*\(N, T, D\)'):
        similarity(bad)


def test_features_are_those_of_the_middle_block():
    torch.manual_seed(0)
    sizes = dict(arch='tiny', img_size=16)
    trunk, video = ImageViT(**sizes).eval(), torch.randn(2, 3, 4, 16, 16)
    found = scene_features(trunk, video)
    x = trunk.ln_pre(trunk.embed(video))  # (B*T, 1+N, C)
    x = trunk.transformer.resblocks[0](x)[:, 1:].mean(1)  # (B*T, C)
    wanted = x.detach().numpy().reshape(2, 4, 32)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    evl = EVL(num_frames=4, decoder_num_layers=1, **sizes).eval()
    evl.load_state_dict(trunk.state_dict(), strict=False)
    again = scene_features(evl, video)
    np.testing.assert_allclose(again, wanted, rtol=1e-4, atol=1e-5)
    assert not trunk.transformer.resblocks[0]._forward_hooks
