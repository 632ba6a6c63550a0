"""Tokenizer pictures, uniform frames and image lists."""

import random

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmcv.transforms import Compose
from mmengine.dataset import pseudo_collate
from torch.testing import assert_close

from mmvidadapt.datasets.transforms import (
    MidpointUniformSample,
    TokenizerView,
)
from mmvidadapt.methods.bevt.tokenizers import DALLETokenizer
from tests.bevt_runs import image_pipeline
from tests.golden import assert_output, goldens, load_golden


@pytest.mark.parametrize('path', goldens('bevt_pixels_*.pt'))
def test_tokenizer_pictures_are_those_of_the_official_code(path):
    golden = load_golden(path)
    crops = [crop.numpy() for crop in golden['crops']]
    size = golden['small'].shape[-1]
    view = TokenizerView(size).transform(dict(imgs=crops))['view']
    assert view.dtype == torch.uint8
    # OpenCV's versions round differently.
    assert (view.float() - golden['small']).abs().max() <= 1


@pytest.mark.parametrize('path', goldens('bevt_pixels_*.pt'))
def test_dalle_sees_the_official_numbers(path):
    """Its first convolution gets the mapped pixels."""
    golden, seen = load_golden(path), []
    tokenizer = DALLETokenizer(vocab_size=8, n_hid=8, n_blk_per_group=1)
    tokenizer.encoder.blocks.input.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0])
    )
    tokenizer.tokenize(golden['small'])
    assert_output(seen[0].contiguous(), golden['mapped'])


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize('path', goldens('bevt_pixels_*.pt'))
def test_frames_are_those_of_the_official_code(path, test_mode, monkeypatch):
    """With the numbers of Python's generator, which the official code has."""
    golden = load_golden(path)
    monkeypatch.setattr(
        np.random, 'randint', lambda low, high: random.randint(low, high - 1)
    )
    length = golden['meta']['clip_len']
    sample = MidpointUniformSample(clip_len=length, test_mode=test_mode)
    split = 'test' if test_mode else 'train'
    for total, wanted in golden[f'frames_{split}'].items():
        random.seed(int(total))
        results = dict(total_frames=int(total), start_index=0)
        frames = sample.transform(results)['frame_inds']
        assert frames.tolist() == wanted.tolist()


def test_a_picture_of_the_right_size_is_copied():
    frames = [np.full((16, 16, 3), i, dtype=np.uint8) for i in range(3)]
    view = TokenizerView(16).transform(dict(imgs=frames))['view']
    assert view.shape == (3, 3, 16, 16)
    assert view[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'at the sea').mkdir()
    names = ['at the sea/one two.png', 'plain.png', 'house 7.png']
    for name in names:
        picture = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / name), picture)
    listing = tmp_path / 'list.txt'
    listing.write_text('at the sea/one two.png 3\nplain.png\n\nhouse 7.png 1')
    return listing


def test_an_image_list_is_read(images):
    prefix, pipeline = dict(img=str(images.parent)), image_pipeline()
    cfg = dict(ann_file=str(images), data_prefix=prefix, pipeline=pipeline)
    dataset = DATASETS.build(dict(type='ImageListDataset', **cfg))
    assert [dataset.get_data_info(i)['label'] for i in range(3)] == [3, -1, 1]
    samples = [dataset[i] for i in range(3)]
    for sample in samples:
        assert sample['inputs'].shape == (3, 32, 32)
        assert sample['data_samples'].view.shape == (1, 3, 32, 32)
        assert sample['data_samples'].mask.shape == (8, 8)
    assert len(pseudo_collate(samples)['inputs']) == 3


def test_an_empty_list_is_named(images):
    images.write_text('\n \n')
    cfg = dict(type='ImageListDataset', ann_file=str(images), pipeline=[])
    with pytest.raises(ValueError, match='list.txt names no image'):
        DATASETS.build(cfg)


def test_the_view_is_what_the_model_sees():
    frames = [
        np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        for i in range(4)
    ]
    flip = TRANSFORMS.build(dict(type='Flip', flip_ratio=1.0))
    shape = dict(type='FormatShape', input_format='NCTHW', collapse=True)
    steps = Compose([flip, TokenizerView(32), TRANSFORMS.build(shape)])
    clip = dict(imgs=frames, img_shape=(32, 32), num_clips=1, clip_len=4)
    results = steps(dict(clip, modality='RGB'))
    clip = torch.from_numpy(results['imgs'])  # (3, T, H, W)
    assert_close(results['view'], clip.transpose(0, 1))
