"""Small real runs: clips on disk, a tiny AIM, a config, a runner."""

import itertools
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mmvidadapt.utils.video import write_video

ROOT = Path(__file__).resolve().parents[1]
NUM_CLASSES, NUM_CLIPS, NUM_FRAMES, SIDE = 4, 8, 4, 16
NUMBER = itertools.count()  # mmengine keeps loggers by name
MEAN, STD = [122.769, 116.74, 104.04], [68.493, 66.63, 70.321]


def write_clips(folder: Path) -> Path:
    """Write a few clips of drifting noise and their annotation file."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(NUM_CLIPS):
        image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        clip = [np.roll(image, shift, axis=1) for shift in range(10)]
        write_video(folder / f'clip{i}.mp4', clip, fps=10)
        lines.append(f'clip{i}.mp4 {i % NUM_CLASSES}')
    listing = folder / 'list.txt'
    listing.write_text('\n'.join(lines))
    return listing


@pytest.fixture(scope='session')
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the clips once; a fixture for the folders that import it."""
    return write_clips(tmp_path_factory.mktemp('clips'))


def pipeline(random: bool) -> List[dict]:
    """Read four frames of a clip, at random places or always the same."""
    sample = dict(type='SampleFrames', clip_len=NUM_FRAMES, frame_interval=2)
    sample.update(num_clips=1, test_mode=not random)
    crop = [dict(type='RandomResizedCrop'), dict(type='Flip', flip_ratio=0.5)]
    return [
        dict(type='DecordInit', num_threads=1),
        sample,
        dict(type='DecordDecode'),
        *(crop if random else ()),
        dict(type='Resize', scale=(SIDE, SIDE), keep_ratio=False),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
    ]


def model(**backbone: Any) -> dict:
    """Return the config of a tiny AIM recognizer."""
    sizes = dict(arch='tiny', img_size=SIDE, num_frames=NUM_FRAMES)
    head = dict(num_classes=NUM_CLASSES, in_channels=32, dropout_ratio=0.0)
    pixels = dict(mean=MEAN, std=STD, format_shape='NCTHW')
    return dict(
        type='Recognizer3D',
        backbone=dict(type='AIM', **sizes, **backbone),
        cls_head=dict(head, type='Float32I3DHead', average_clips='prob'),
        data_preprocessor=dict(pixels, type='ActionDataPreprocessor'),
    )


def loader(listing: Path, random: bool, workers: int, batch: int) -> dict:
    """Return the config of a data loader."""
    return dict(
        batch_size=batch,
        num_workers=workers,
        persistent_workers=False,
        sampler=dict(type='DefaultSampler', shuffle=random),
        dataset=dict(
            type='VideoDataset',
            ann_file=str(listing),
            data_prefix=dict(video=str(listing.parent)),
            pipeline=pipeline(random),
            test_mode=not random,
        ),
    )


def checked(listing: Path, random: bool, **changes: Any) -> dict:
    """Return the config of a data set that checks its videos."""
    dataset = loader(listing, random, 0, 4)['dataset']
    dataset['pipeline'][0] = dict(type='VideoInit', backend='auto')
    dataset['pipeline'][2] = dict(type='VideoDecode')
    return dict(dataset, type='CheckedVideoDataset', **changes)


def environment() -> Dict[str, Any]:
    """Return what is the same for every run: imports, hooks, seed."""
    return dict(
        custom_imports=dict(
            imports=['mmvidadapt'], allow_failed_imports=False
        ),
        default_scope='mmaction',
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(type='CheckpointHook', interval=1),
        ),
        custom_hooks=[
            dict(type='TrainedParamsHook'),
            dict(type='NonFiniteLossHook'),
            dict(type='EpochSeedHook'),
            dict(type='CpuProductsHook'),
            dict(type='StrictLoadHook'),
        ],
        env_cfg=dict(mp_cfg=dict(mp_start_method='fork')),
        auto_scale_lr=dict(enable=False, base_batch_size=8),
        randomness=dict(seed=0),
    )


def recipe(
    listing: Path,
    work_dir: Path,
    random: bool = False,
    workers: int = 0,
    batch: int = 4,
    epochs: int = 1,
    drop_path_rate: float = 0.0,
    **changes: Any,
) -> Config:
    """Return a config with everything that a run needs.

    Of changes, ``.`` is written as ``__``.
    """
    test = loader(listing, False, 0, batch)
    config = Config(
        dict(
            environment(),
            experiment_name=f'run_{next(NUMBER)}',
            work_dir=str(work_dir),
            model=model(drop_path_rate=drop_path_rate),
            test_pipeline=pipeline(False),
            train_dataloader=loader(listing, random, workers, batch),
            val_dataloader=test,
            test_dataloader=test,
            val_evaluator=dict(type='AccMetric'),
            test_evaluator=dict(type='AccMetric'),
            train_cfg=dict(
                type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1
            ),
            val_cfg=dict(type='ValLoop'),
            test_cfg=dict(type='TestLoop'),
            optim_wrapper=dict(
                type='OptimWrapper',
                constructor='TrainedParamsConstructor',
                optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.05),
            ),
        ),
        format_python_code=False,  # seconds, where it is nested
    )
    config.merge_from_dict(
        {k.replace('__', '.'): v for k, v in changes.items()}
    )
    return config


def without_validation(config: Config) -> Config:
    """Train only."""
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    return config


def train(config: Config) -> Runner:
    """Train without validation; return the runner."""
    runner = Runner.from_cfg(without_validation(config))
    runner.train()
    return runner
