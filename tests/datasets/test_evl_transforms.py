"""EVL's sampling and augmentation, formula by formula."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

LENGTHS = (1, 5, 8, 100, 113, 114, 128, 129, 301)


def sample(total_frames, **cfg):
    cfg = dict(type='ExactSpanSampleFrames', **cfg)
    results = dict(total_frames=total_frames, start_index=0)
    return TRANSFORMS.build(cfg)(results)['frame_inds'].tolist()


@pytest.mark.parametrize('n', LENGTHS)
def test_training_starts_anywhere_the_span_fits(n):
    starts, span = set(), 16 * 7
    for seed in range(300):
        np.random.seed(seed)
        inds = sample(n, clip_len=8, frame_interval=16)
        starts.add(inds[0])
        valid = [inds[0] + 16 * i for i in range(8)]
        last = max(i for i in valid if i < n)
        assert inds == [i if i < n else last for i in valid]
    possible = range(n - span) if n > span else range(1)
    assert starts <= set(possible)
    assert len(starts) >= min(len(possible), 100) * 0.9
    assert len(possible) > 20 or starts == set(possible)


@pytest.mark.parametrize('n', LENGTHS)
@pytest.mark.parametrize('views', [1, 3])
def test_testing_spreads_the_clips(n, views):
    cfg = dict(clip_len=8, frame_interval=16, num_clips=views)
    cfg['out_of_bound_opt'] = 'repeat_last'
    inds = sample(n, **cfg, test_mode=True)
    slide = max(n - (16 * 7 + 1), 0)  # behind the span
    starts = [slide // 2]
    if views > 1:
        starts = [round(slide / (views - 1) * i) for i in range(views)]
    wanted = [start + 16 * i for start in starts for i in range(8)]
    assert inds == [min(i, n - 1) for i in wanted]


def test_frames_are_augmented_alike_and_clips_are_not():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    transform = TRANSFORMS.build(dict(type='ClipRandAugment'))
    outcomes = set()
    np.random.seed(0)
    for _ in range(30):
        out = transform(dict(imgs=[frame.copy() for _ in range(4)]))['imgs']
        assert len(out) == 4
        for other in out:
            assert other.dtype == np.uint8 and other.shape == frame.shape
            assert np.array_equal(other, out[0])
        outcomes.add(out[0].tobytes())
    assert len(outcomes) > 20
    assert frame.tobytes() in outcomes or len(outcomes) == 30


def test_the_operations_are_the_fifteen_increasing_ones():
    transform = TRANSFORMS.build(dict(type='ClipRandAugment'))
    policies = transform.augment.policies
    assert len(policies) == 15
    moving = {p['type'] for p in policies if 'interpolation' in p}
    assert moving == {'Rotate', 'Shear', 'Translate'}
    for policy in policies:
        assert policy.get('interpolation', 'bicubic') == 'bicubic'
        if 'magnitude_range' in policy:
            assert policy['magnitude_level'] == 7
            assert policy['magnitude_std'] == 0.5
    assert {t.prob for t in transform.augment.transforms} == {0.5}
    assert transform.augment.num_policies == 4


def test_colours_keep_their_order():
    """Mmpretrain's operations see BGR; grey is weighed by channel."""
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    transform = TRANSFORMS.build(dict(type='ClipRandAugment', num_ops=1))
    augment = transform.augment
    names = [policy['type'] for policy in augment.policies]
    colour = augment.transforms[names.index('ColorTransform')]
    vars(colour).update(prob=1.0, random_negative_prob=1.0, magnitude_std=0)
    transform.augment.transform = lambda results: colour(results)
    out = transform(dict(imgs=[red]))['imgs'][0]
    grey = round(0.299 * 200)  # of red; blue would weigh 0.114
    blend = 1 - 0.9 * 0.7
    assert abs(int(out[0, 0, 0]) - (200 * blend + grey * (1 - blend))) <= 1
    assert abs(int(out[0, 0, 1]) - grey * (1 - blend)) <= 1
