"""Videos, a tiny EVL and its feature cache."""

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config

from mmvidadapt.apis.data.feature_cache import cache_features, plan
from mmvidadapt.utils.video import write_video

VIDEOS, VIEWS, FRAMES = 5, 3, 3
PACK = dict(type='PackActionInputs')


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    """Render a few videos and list them."""
    folder = tmp_path_factory.mktemp('videos')
    rng = np.random.default_rng(0)
    for i in range(VIDEOS):
        image = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        frames = [np.roll(image, i * t, 1) for t in range(8)]
        write_video(folder / f'{i}.mp4', frames, fps=8)
    lines = [f'{i}.mp4 {i % 3}\n' for i in range(VIDEOS)]
    (folder / 'list.txt').write_text(''.join(lines))
    return folder


def config(folder, **backbone):
    """A tiny model, one training view, three test views."""
    size = dict(type='Resize', scale=(16, 16), keep_ratio=False)
    shape = dict(type='FormatShape', input_format='NCTHW')

    def loader(sample, *steps):
        first = [dict(type='DecordInit'), sample, dict(type='DecordDecode')]
        pipeline = [*first, *steps, size, shape, PACK]
        dataset = dict(type='VideoDataset', pipeline=pipeline)
        dataset['ann_file'] = str(folder / 'list.txt')
        dataset['data_prefix'] = dict(video=str(folder))
        return dict(batch_size=2, num_workers=0, dataset=dataset)

    sampling = dict(type='ExactSpanSampleFrames', clip_len=FRAMES)
    spread = dict(sampling, num_clips=VIEWS, test_mode=True)
    trunk = dict(type='EVL', arch='tiny', img_size=16, num_frames=FRAMES)
    recognizer, head = 'AdaptedRecognizer', dict(type='Float32I3DHead')
    if backbone.get('type', 'EVL') == 'EVL':
        recognizer, head = 'EVLRecognizer', dict(type='EVLHead')
        trunk['decoder_num_layers'] = 2
    head.update(num_classes=3, in_channels=32)
    pixels = dict(mean=[120.0] * 3, std=[60.0] * 3, format_shape='NCTHW')
    return Config(
        dict(
            model=dict(
                type=recognizer,
                backbone={**trunk, **backbone},
                cls_head=dict(head, average_clips='prob'),
                data_preprocessor=dict(pixels, type='ActionDataPreprocessor'),
            ),
            train_dataloader=loader(
                sampling, dict(type='RandomCrop', size=28)
            ),
            test_dataloader=loader(spread),
        )
    )


def build(cfg, seed=0):
    torch.manual_seed(seed)
    model = MODELS.build(cfg.model).eval()
    for param in model.parameters():
        torch.nn.init.normal_(param, std=0.1)
    return model


def fill(model, cfg, split, out, **kwargs):
    meta = plan(model, cfg, split)
    return list(cache_features(model, cfg, split, out, meta, **kwargs))


def batch_of(cfg, split, indices):
    dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    items = [dataset[i] for i in indices]
    return {k: [item[k] for item in items] for k in items[0]}
