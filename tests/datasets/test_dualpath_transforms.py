"""DualPath's sampling, formula by formula, and framesets in the pipeline."""

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from torch.testing import assert_close

from mmvidadapt.methods.dualpath.framesets import (
    build_framesets,
    sample_frames,
)

LENGTHS = (1, 5, 16, 61, 64, 65, 121, 128, 300)


def sample(total_frames, **cfg):
    cfg = dict(type='RandomStrideSampleFrames', clip_len=16, **cfg)
    results = dict(total_frames=total_frames, start_index=2)
    results = TRANSFORMS.build(cfg)(results)
    assert results['clip_len'] == 16
    assert results['num_clips'] == cfg.get('num_clips', 1)
    return (results['frame_inds'] - 2).tolist()


@pytest.mark.parametrize('n', LENGTHS)
def test_training_draws_a_stride_and_a_start(n):
    seen = set()
    for seed in range(400):
        np.random.seed(seed)
        inds = sample(n)
        assert len(inds) == 16 and min(inds) >= 0 and max(inds) < n
        steps = set(np.diff(inds).tolist())
        fits = len(steps) == 1 and steps <= {1, 2, 4, 8}
        if fits:
            seen.add((*steps, inds[0]))
        elif n < 16:
            assert inds == [min(i, n - 1) for i in range(16)]
        else:
            assert inds == [int(i * (n - 1) / 15) for i in range(16)]
    strides = {stride for stride, _ in seen}
    assert strides >= {s for s in (1, 2, 4, 8) if 15 * s < n}
    for stride in strides & {8}:
        starts = {start for s, start in seen if s == stride}
        assert starts <= set(range(n - 15 * stride))
        assert len(starts) >= min(n - 15 * stride, 40) * 0.7


@pytest.mark.parametrize('official', [False, True])
@pytest.mark.parametrize('clips', [1, 3])
@pytest.mark.parametrize('n', LENGTHS)
def test_testing_spreads_clips_of_every_fourth_frame(n, clips, official):
    cfg = dict(num_clips=clips, official_starts=official, test_mode=True)
    inds = sample(n, **cfg, out_of_bound_opt='repeat_last')
    strided = list(range(0, n, 4))
    slack = max(len(strided) - 16, 0)
    if official:
        starts = [int(k * slack / clips) for k in range(clips)]
    else:
        starts = [slack // 2] if clips == 1 else [0, round(slack / 2), slack]
    padded = strided + [strided[-1]] * 16
    wanted = [padded[s + i] for s in starts for i in range(16)]
    assert inds == wanted
    if n == 300 and clips == 3:
        assert (inds[-1] == strided[-1]) != official


def test_wrong_strides_are_named():
    for wrong in ((), (0, 4)):
        with pytest.raises(ValueError, match='frame_intervals='):
            sample(50, frame_intervals=wrong)


@pytest.mark.parametrize('size', [(6, 17), (17, 6), (6, 6)])
@pytest.mark.parametrize('crops', [1, 3])
def test_crops_start_at_equal_steps(crops, size):
    imgs = list(np.random.default_rng(0).random((4, *size, 3)))
    cfg = dict(type='SteppedCrops', crop_size=6, num_crops=crops)
    results = TRANSFORMS.build(cfg)(dict(imgs=imgs))
    assert results['img_shape'] == (6, 6)
    starts = [int(j * (max(size) - 6) / crops) for j in range(crops)]
    tall = size[0] > size[1]
    wanted = [
        img[s : s + 6] if tall else img[:, s : s + 6]
        for s in starts
        for img in imgs
    ]
    assert np.array_equal(results['imgs'], wanted)


def test_crops_that_cannot_be_are_named():
    cfg = dict(type='SteppedCrops', crop_size=6)
    with pytest.raises(ValueError, match=r'crop_size=6.*8 x 9.*\(-1, 6\)'):
        TRANSFORMS.build(cfg)(dict(imgs=[np.zeros((8, 9, 3))]))
    with pytest.raises(ValueError, match='num_crops=0'):
        TRANSFORMS.build(dict(cfg, num_crops=0))


def frames(num=32, size=(16, 20)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 3, num, *size), dtype=np.uint8)


def build(imgs, **cfg):
    transform = TRANSFORMS.build(dict(type='BuildFramesets', **cfg))
    assert f'{cfg.get("num_spatial_frames", 8)}' in repr(transform)
    return transform(dict(imgs=imgs))['imgs']


@pytest.mark.parametrize('antialias', [False, True])
@pytest.mark.parametrize('exact', [False, True])
def test_the_pipeline_builds_what_the_model_would(exact, antialias):
    imgs = frames()
    images = build(imgs, exact=exact, antialias=antialias)
    assert images.dtype == (np.float16 if exact else np.uint8)
    assert images.shape == (2, 3, 2 + 8, 16, 20)
    video = torch.from_numpy(imgs)
    wanted = build_framesets(video.float(), (4, 4), antialias)
    error = (torch.from_numpy(images[:, :, :2]).float() - wanted).abs().max()
    if exact:
        assert error <= (0.0626 if antialias else 0)
    else:
        assert 0.2 < error <= 0.5
    sparse = torch.from_numpy(images[:, :, 2:]).float()
    assert torch.equal(sparse, sample_frames(video, 8).float())


def test_other_grids_and_numbers_of_frames():
    imgs = frames(18)
    images = build(imgs, grid=(3, 3), num_spatial_frames=6)
    assert images.shape[2] == 2 + 6
    with pytest.raises(ValueError, match='num_frames=18.*16'):
        build(imgs)


@pytest.mark.parametrize(
    'paths', [('temporal',), ('spatial',), ('temporal', 'spatial')]
)
def test_a_model_sees_the_same_from_the_pipeline(paths):
    """Through normalisation, for every choice of paths."""
    scores, imgs = [], frames(16, (16, 16))
    for source in ('model', 'pipeline'):
        torch.manual_seed(0)
        backbone = dict(type='DualPath', arch='tiny', img_size=16, paths=paths)
        head = dict(type='DualPathHead', in_channels=32 * len(paths))
        model = dict(
            type='DualPathRecognizer',
            backbone=dict(backbone, framesets_from=source),
            cls_head=dict(head, num_classes=4),
            data_preprocessor=dict(
                type='ActionDataPreprocessor',
                mean=[122.771, 116.746, 104.094],
                std=[68.501, 66.632, 70.323],
                format_shape='NCTHW',
            ),
        )
        model = MODELS.build(model).eval()
        built = source == 'pipeline'
        inputs = build(imgs, exact=True, paths=paths) if built else imgs
        samples = [ActionDataSample()]
        data = dict(inputs=[torch.from_numpy(inputs)], data_samples=samples)
        batch = model.data_preprocessor(data)['inputs']
        scores.append(model(batch, stage='head'))
    assert_close(*scores)


def test_choices_of_paths_that_cannot_be_are_named():
    with pytest.raises(ValueError, match='time.*temporal'):
        build(frames(16), paths=('time',))
    with pytest.raises(ValueError, match='num_spatial_frames=17'):
        build(frames(16), num_spatial_frames=17)
    assert build(frames(24), paths=('spatial',)).shape[2] == 8


@pytest.mark.parametrize('wrong', [[1, 2], np.zeros((2, 16, 3, 8, 8))])
def test_other_layouts_are_named(wrong):
    with pytest.raises(ValueError, match="FormatShape.*'NCTHW'"):
        build(wrong)
