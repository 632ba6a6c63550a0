"""Masks of tokens: exact for given seeds, and clear about bad numbers."""

import random

import pytest
import torch
from torch.testing import assert_close

from mmvidadapt.datasets.transforms import (
    BlockMask,
    TubeMask,
)
from tests.golden import goldens, load_golden

# The seeds of the statistics, as the goldens' notes say.
IMAGE_SEED, TUBE_SEED, DRAWS = 1234, 4321, 1000


def blocks(kwargs):
    return dict(
        grid=kwargs['input_size'],
        num_masked=kwargs['num_masking_patches'],
        min_block=kwargs['min_num_patches'],
        max_block=kwargs['max_num_patches'],
    )


def tube(case, kwargs):
    assert kwargs['temporal_scale'] == 2
    return TubeMask(
        num_frames=kwargs['clip_len'] // kwargs['temporal_scale'],
        tube_range=kwargs['masked_tube_range'],
        **blocks(case['image_kwargs']),
    )


def draw(transform):
    return transform.transform({})['mask']


@pytest.mark.parametrize('path', goldens('bevt_masks_*.pt'))
def test_masks_are_those_of_the_official_code(path):
    for case in load_golden(path)['cases']:
        transform = BlockMask(**blocks(case['image_kwargs']))
        for seed, masks in zip(
            case['seeds'], case['image_masks'], strict=True
        ):
            random.seed(seed)
            for mask in masks:
                assert_close(draw(transform), mask.bool())
        for given in case['tubes']:
            transform = tube(case, given['tube_kwargs'])
            for seed, masks, shown in zip(
                case['seeds'], given['input_masks'], given['output_masks']
            ):
                random.seed(seed)
                for mask, frames in zip(masks, shown):
                    mine = draw(transform)
                    assert_close(mine, mask.bool())
                    assert_close(mine.repeat_interleave(2, 0), frames)


@pytest.mark.parametrize('path', goldens('bevt_masks_*.pt'))
def test_statistics_of_1000_masks(path):
    for case in load_golden(path)['cases']:
        wanted = case['image_stats']
        transform = BlockMask(**blocks(case['image_kwargs']))
        random.seed(IMAGE_SEED)
        masks = torch.stack([draw(transform) for _ in range(DRAWS)]).double()
        counts = masks.sum((1, 2))
        assert_close(masks.mean(0).float(), wanted['cell_frequency'])
        assert_close(
            counts.int().bincount(minlength=len(wanted['count_hist'])),
            wanted['count_hist'],
        )
        for given in case['tubes']:
            stats, transform = given['stats'], tube(case, given['tube_kwargs'])
            random.seed(TUBE_SEED)
            masks = torch.stack([draw(transform) for _ in range(DRAWS)])
            frames = masks.flatten(2).any(-1)  # (draws, T')
            assert_close(
                frames.sum(1).bincount(minlength=len(stats['len_hist'])),
                stats['len_hist'],
            )
            assert_close(
                frames.float().mean(0), stats['frame_frequency'].float()
            )
            ratio = masks.flatten(1).float().mean(1)
            assert ratio.mean().item() == pytest.approx(stats['ratio_mean'])
            assert ratio.std().item() == pytest.approx(
                stats['ratio_std'], rel=1e-3
            )


def test_the_published_statistics():
    """Half of an image, 37 % of a clip, and no edge is spared."""
    random.seed(0)
    images = torch.stack([draw(BlockMask()) for _ in range(DRAWS)]).float()
    assert images.mean().item() == pytest.approx(0.4975, abs=2e-3)
    rows = images.mean((0, 2))
    assert 0.1 < rows.min() < 0.25 and 0.6 < rows.max() < 0.75
    assert min(rows[0], rows[-1]) > 0.1
    clips = torch.stack([draw(TubeMask()) for _ in range(DRAWS)])
    assert clips.float().mean().item() == pytest.approx(0.372, abs=0.01)
    lengths = clips.flatten(2).any(-1).sum(1)
    assert lengths.unique().tolist() == [4, 5, 6, 7, 8]


def test_a_tube_goes_on_at_the_first_frame():
    transform = TubeMask(tube_range=(0.5, 0.5), seed=1)
    wrapped = 0
    for _ in range(50):
        mask = draw(transform)
        frames = mask.flatten(1).any(1)
        assert frames.sum() == 4
        assert len({tuple(m.flatten().tolist()) for m in mask[frames]}) == 1
        wrapped += bool(frames[0] and frames[-1])
    assert wrapped > 5


def test_masks_of_a_seed_are_their_own():
    random.seed(5)
    state = random.getstate()
    first, second = BlockMask(seed=3), BlockMask(seed=3)
    masks = [draw(first) for _ in range(3)]
    assert_close(masks, [draw(second) for _ in range(3)])
    assert random.getstate() == state
    assert not all(torch.equal(masks[0], mask) for mask in masks)


@pytest.mark.parametrize(
    'build, words',
    [
        (lambda: BlockMask(num_masked=197), 'num_masked=197 of 14 x 14'),
        (lambda: BlockMask(grid=4, num_masked=8), 'min_block=16 is not in'),
        (lambda: TubeMask(tube_range=(1.0, 0.5)), 'gives lengths from 8 to 4'),
        (lambda: TubeMask(tube_range=(0.5, 1.5)), 'lengths from 4 to 12'),
        (lambda: TubeMask(num_mask=98), 'num_mask'),
    ],
)
def test_impossible_masks_are_named(build, words):
    with pytest.raises((ValueError, TypeError), match=words):
        build()


def test_a_small_grid_stops_when_nothing_fits():
    transform = BlockMask(grid=(4, 6), num_masked=20, min_block=2, seed=0)
    counts = [int(draw(transform).sum()) for _ in range(200)]
    assert max(counts) <= 20 and min(counts) < 20  # it may fall short
    assert draw(transform).shape == (4, 6)
