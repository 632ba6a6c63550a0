"""Sampling and augmentation: the recipes' own formulas, element by element."""

import math
import random

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample

CLIP_MEAN = [122.769, 116.74, 104.04]
CLIP_STD = [68.493, 66.63, 70.321]
LENGTHS = (1, 5, 8, 9, 30, 77, 100, 128, 129, 301)


def sample(total_frames, **cfg):
    results = dict(total_frames=total_frames, start_index=0)
    return TRANSFORMS.build(cfg)(results)['frame_inds'].tolist()


@pytest.mark.parametrize('n', LENGTHS)
@pytest.mark.parametrize('clip_len', [8, 16, 32])
def test_uniform_testing_takes_the_middle_of_every_segment(n, clip_len):
    seg = (n - 1) / clip_len
    expected = [
        (round(seg * i) + round(seg * (i + 1))) // 2 for i in range(clip_len)
    ]
    cfg = dict(type='MidpointUniformSample', clip_len=clip_len)
    assert sample(n, **cfg, test_mode=True) == expected


@pytest.mark.parametrize('n', LENGTHS)
def test_uniform_training_draws_from_every_segment(n, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        np.random, 'randint', lambda *ends: drawn.append(ends) or ends[0]
    )
    sample(n, type='MidpointUniformSample', clip_len=8)
    seg = (n - 1) / 8
    assert drawn == [
        (round(seg * i), round(seg * (i + 1)) + 1) for i in range(8)
    ]


def test_uniform_clips_divide_the_segments():
    cfg = dict(type='MidpointUniformSample', clip_len=8, num_clips=4)
    inds = sample(81, **cfg, test_mode=True)
    assert inds == [10 * i + 2 * k for k in (1, 2, 3, 4) for i in range(8)]


@pytest.mark.parametrize('n', LENGTHS)
@pytest.mark.parametrize('clips', [1, 3, 4])
@pytest.mark.parametrize('clip_len, itv', [(8, 16), (16, 8), (32, 4), (32, 2)])
def test_dense_testing_takes_the_middle_of_every_stretch(
    n, clips, clip_len, itv
):
    stretch = (n - clip_len * itv + 1) / clips
    offsets = [
        math.floor(stretch * (i + 0.5)) if n > clip_len * itv - 1 else 0
        for i in range(clips)
    ]
    cfg = dict(type='MidpointSampleFrames', clip_len=clip_len)
    cfg.update(frame_interval=itv, num_clips=clips, out_of_bound_opt='loop')
    wanted = [(o + j * itv) % n for o in offsets for j in range(clip_len)]
    assert sample(n, **cfg, test_mode=True) == wanted


def test_dense_training_draws_one_offset():
    firsts, cfg = set(), dict(clip_len=8, frame_interval=16)
    for _ in range(400):
        inds = sample(140, type='MidpointSampleFrames', **cfg)
        assert np.diff(inds).tolist() == [16] * 7
        firsts.add(inds[0])
    assert firsts == set(range(140 - 128 + 1))


DENSE = dict(frame_interval=16, num_clips=3)


@pytest.mark.parametrize('kind', ['SampleFrames', 'UniformSample'])
def test_mmaction2_samples_otherwise(kind):
    """When this fails, the host has changed and our class may go."""
    cfg = dict(DENSE if kind == 'SampleFrames' else {}, test_mode=True)
    ours = sample(301, type=f'Midpoint{kind}', clip_len=8, **cfg)
    assert ours != sample(301, type=kind, clip_len=8, **cfg)


@pytest.mark.parametrize(
    'name', ['MidpointSampleFrames', 'MidpointUniformSample', 'PCALighting']
)
def test_a_misspelt_argument_raises(name):
    with pytest.raises(TypeError, match='clip_lenght'):
        TRANSFORMS.build(dict(type=name, clip_lenght=8))


def test_rand_augment_treats_all_frames_alike():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    cfg = dict(op='RandAugment', num_ops=4, magnitude=7, fill=[128] * 3)
    augment = TRANSFORMS.build(dict(type='TorchVisionWrapper', **cfg))
    changed = 0
    for seed in range(40):
        torch.manual_seed(seed)
        imgs = augment(dict(imgs=[frame.copy() for _ in range(4)]))['imgs']
        kinds = {(str(image.dtype), image.shape) for image in imgs}
        assert kinds == {('uint8', frame.shape)}
        assert all((i == imgs[0]).all() for i in imgs)
        changed += (imgs[0] != frame).any()
    assert changed > 30


def preprocessor(**erasing):
    cfg = dict(mean=CLIP_MEAN, std=CLIP_STD, format_shape='NCTHW')
    cfg['blending'] = dict(type='VideoRandomErasing', **erasing)
    return MODELS.build(dict(type='ActionDataPreprocessor', **cfg))


def batch(size=6):
    shape = (size, 1, 3, 4, 20, 24)
    clips = list(torch.randint(1, 256, shape, dtype=torch.uint8))
    labels = [ActionDataSample().set_gt_label(i) for i in range(size)]
    return dict(inputs=clips, data_samples=labels)


def test_erased_boxes_are_zero_in_the_normalised_clip():
    random.seed(0)
    data, plain = batch(), preprocessor(prob=0.0)
    clean = plain(data, training=True)['inputs']
    erased = preprocessor(prob=1.0)(data, training=True)['inputs']
    boxes = set()
    for a, b in zip(clean, erased):  # (1, 3, T, H, W)
        hit = (b == 0) & (a != 0)
        rows, cols = hit[0, 0, 0].any(1), hit[0, 0, 0].any(0)
        box = rows[:, None] & cols[None]
        assert box.any()
        assert (b[..., box] == 0).all()  # in every frame and channel
        assert (b[..., ~box] == a[..., ~box]).all()
        boxes.add(tuple(box.flatten().tolist()))
    assert len(boxes) == 6  # every clip has its own


def test_nothing_is_erased_in_testing():
    data = batch()
    expected = preprocessor(prob=0.0)(data)['inputs']
    assert (preprocessor(prob=1.0)(data)['inputs'] == expected).all()


def test_the_boxes_have_the_distribution_of_timm():
    random.seed(0)
    erasing = MODELS.build(dict(type='VideoRandomErasing', prob=0.25))
    boxes = [erasing.draw(224, 224) for _ in range(8000)]
    boxes = np.array([b for b in boxes if b is not None])
    assert 0.23 < len(boxes) / 8000 < 0.27
    top, left, h, w = boxes.T
    area = h * w / 224**2
    assert 0.019 < area.min() < 0.03 and 0.3 < area.max() < 0.34
    assert abs(area.mean() - (0.02 + 1 / 3) / 2) < 0.01
    assert abs(np.log(h / w).mean()) < 0.05
    assert (h / w).min() > 0.28 and (h / w).max() < 3.6
    assert (top + h).max() == 224 and (left + w).max() == 224
    assert top.min() == 0 and left.min() == 0


@pytest.mark.parametrize(
    'wrong', [dict(prob=1.5), dict(area=(0.4, 0.1)), dict(aspect=(0, 1))]
)
def test_impossible_boxes_raise(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MODELS.build(dict(type='VideoRandomErasing', **wrong))


def test_pca_lighting_adds_one_colour_to_the_whole_clip():
    np.random.seed(0)
    lighting = TRANSFORMS.build(dict(type='PCALighting'))
    frames = [np.full((2, 3, 3), v, np.uint8) for v in (0, 128, 255)]
    shifts = []
    for _ in range(4000):
        imgs = lighting(dict(imgs=frames))['imgs']
        assert all(i.dtype == np.float32 for i in imgs)
        diffs = np.stack([i - f for i, f in zip(imgs, frames)])
        assert np.abs(diffs - diffs[0, 0, 0]).max() < 1e-4
        shifts.append(diffs[0, 0, 0])
    values = np.array([55.46, 4.794, 1.148])
    vectors = '-0.5675 0.7192 0.4009 -0.5808 -0.0045 -0.8140'
    vectors = f'{vectors} -0.5836 -0.6948 0.4203'.split()
    vectors = np.array(vectors, float).reshape(3, 3)
    expected = vectors @ np.diag((0.1 * values) ** 2) @ vectors.T
    np.testing.assert_allclose(np.cov(np.array(shifts).T), expected, rtol=0.1)
