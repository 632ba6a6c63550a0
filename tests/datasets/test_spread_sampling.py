"""Short videos are read in order, long ones as published."""

import logging

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.logging import MMLogger

from mmvidadapt.datasets.transforms import spread_sampling

# Type, settings, fewest frames that a clip fits into, published option.
SAMPLERS = [
    ('MidpointSampleFrames', dict(clip_len=8, frame_interval=16), 128, 'loop'),
    ('MidpointSampleFrames', dict(clip_len=32, frame_interval=4), 128, 'loop'),
    ('SpreadSampleFrames', dict(clip_len=32, frame_interval=2), 63, 'loop'),
    (
        'ExactSpanSampleFrames',
        dict(clip_len=8, frame_interval=16),
        113,
        'repeat_last',
    ),
    ('RandomStrideSampleFrames', dict(clip_len=16), 61, 'repeat_last'),
]


def sample(total, start=0, seed=0, **cfg):
    """Sample a video; give its frames as (clips, frames)."""
    np.random.seed(seed)
    results = dict(total_frames=total, start_index=start)
    results = TRANSFORMS.build(cfg)(results)
    inds = results['frame_inds']
    assert len(inds) == results['num_clips'] * results['clip_len']
    return inds.reshape(results['num_clips'], results['clip_len']) - start


@pytest.mark.parametrize('name, cfg, least, option', SAMPLERS)
@pytest.mark.parametrize('clips', [1, 3, 4])
def test_short_videos_are_spread_in_order(name, cfg, least, option, clips):
    cfg = dict(cfg, type=name, num_clips=clips, test_mode=True)
    for total in range(1, least):
        views = sample(total, start=5, **cfg)
        assert views.min() >= 0 and views.max() < total
        assert (np.diff(views) >= 0).all()
        step = total / cfg['clip_len']
        edges = step * np.arange(cfg['clip_len'] + 1)  # of the stretches
        assert (views > edges[:-1] - 1).all()
        assert (views < edges[1:]).all()
        assert len(views) == 1 or len({v.tobytes() for v in views}) > 1
        assert len(views) in (1, clips)
    assert len(sample(1, **cfg)) == 1
    if clips == 3:
        views = sample(least - 1, **cfg)
        assert len({view.tobytes() for view in views}) == 3


def test_the_case_of_two_seconds_at_28_fps():
    """``--window 2``: frames 0, 16, 32, 48, 8, 24, 40, 0 as published."""
    cfg = dict(type='MidpointSampleFrames', clip_len=8, frame_interval=16)
    cfg.update(num_clips=3, test_mode=True)
    assert sample(56, **cfg).tolist() == [
        [1, 8, 15, 22, 29, 36, 43, 50],
        [3, 10, 17, 24, 31, 38, 45, 52],
        [5, 12, 19, 26, 33, 40, 47, 54],
    ]
    looped = sample(56, out_of_bound_opt='loop', **cfg)
    assert looped.tolist() == 3 * [[0, 16, 32, 48, 8, 24, 40, 0]]


@pytest.mark.parametrize('test_mode', [True, False])
def test_segments_of_a_short_video_follow_one_another(test_mode):
    """Two groups of two: each reads the video from its begin to its end."""
    cfg = dict(type='SpreadSampleFrames', clip_len=4, frame_interval=8)
    cfg.update(num_clips=4, num_segments=2, test_mode=test_mode)
    for total in range(1, 25):
        groups = sample(total, start=3, **cfg).reshape(-1, 8)
        edges = total * np.arange(9) / 8  # of the stretches
        assert (groups > edges[:-1] - 1).all() and (groups < edges[1:]).all()
        assert len(groups) in ((1, 2) if test_mode else (2,))
    assert len(sample(1, **cfg)) == (2 if test_mode else 4)
    whole = sample(25, **cfg)  # a clip fits
    assert (np.diff(whole) == 8).all() and len(whole) == 4
    with pytest.raises(ValueError, match='segments=3 of .*num_clips=4'):
        sample(9, **dict(cfg, num_segments=3))
    assert 'num_segments=2' in repr(TRANSFORMS.build(cfg))


@pytest.mark.parametrize('name, cfg, least, option', SAMPLERS)
def test_long_videos_and_training_are_as_published(name, cfg, least, option):
    cfg = dict(cfg, type=name)
    for clips in (1, 3, 4):
        tested = dict(cfg, num_clips=clips, test_mode=True)
        for total in [*range(least, 2 * least), 300, 1001]:
            assert np.array_equal(
                sample(total, **tested),
                sample(total, out_of_bound_opt=option, **tested),
            )
    for total in range(1, 2 * least):
        assert np.array_equal(
            sample(total, seed=total, **cfg),
            sample(total, seed=total, out_of_bound_opt=option, **cfg),
        )


@pytest.mark.parametrize('test_mode', [False, True])
def test_the_published_option_is_mmaction2s(test_mode):
    cfg = dict(clip_len=32, frame_interval=2, test_mode=test_mode)
    for total in [*range(1, 200), 1001]:
        for option in ('loop', 'repeat_last'):
            stock, ours = (
                sample(total, type=kind, out_of_bound_opt=option, **cfg)
                for kind in ('SampleFrames', 'SpreadSampleFrames')
            )
            assert np.array_equal(stock, ours)


@pytest.mark.parametrize('name, cfg, least, option', SAMPLERS)
def test_training_is_spread_by_name(name, cfg, least, option):
    """A random frame of every stretch, also of very short videos."""
    cfg = dict(cfg, type=name, out_of_bound_opt='spread')
    short = 3 if name == 'RandomStrideSampleFrames' else least - 1
    seen = set()
    for seed in range(300):
        (inds,) = sample(short, seed=seed, **cfg)
        assert inds[0] >= 0 and inds[-1] < short
        assert (np.diff(inds) >= 0).all()
        seen |= set(inds.tolist())
    assert seen == set(range(short))


@pytest.mark.parametrize('name, cfg, least, option', SAMPLERS)
def test_unknown_options_are_named(name, cfg, least, option):
    wrong = 'loop' if option == 'repeat_last' else 'lop'
    words = f"out_of_bound_opt='{wrong}' of {name}: choose from .'spread', '"
    with pytest.raises(ValueError, match=words):
        sample(9, type=name, out_of_bound_opt=wrong, **cfg)
    assert "out_of_bound_opt='spread'" in repr(
        TRANSFORMS.build(dict(cfg, type=name, test_mode=True))
    )


class Short(torch.utils.data.Dataset):
    """Short videos, sampled in workers."""

    def __init__(self, sampler):
        self.sampler = sampler

    def __len__(self):
        return 8

    def __getitem__(self, index):
        results = dict(
            total_frames=50 + index, start_index=0, filename=f'{index}.mp4'
        )
        return self.sampler(results)['frame_inds']


def test_short_videos_are_said_once_by_all_workers(monkeypatch, tmp_path):
    monkeypatch.setattr(
        spread_sampling, '_LOGGED', spread_sampling.mmap.mmap(-1, 1)
    )
    logger = MMLogger.get_instance('short', log_file=str(tmp_path / 'log'))
    cfg = dict(type='MidpointSampleFrames', clip_len=8, frame_interval=16)
    sampler = TRANSFORMS.build(dict(cfg, test_mode=True))
    assert logger.level <= logging.WARNING
    for _ in range(2):
        list(torch.utils.data.DataLoader(Short(sampler), num_workers=2))
    text = (tmp_path / 'log').read_text()
    assert text.count('fewer than a clip of 8 x 16') == 1
    assert '.mp4, or a window of it, has 5' in text
    assert "out_of_bound_opt='loop' of MidpointSampleFrames" in text
