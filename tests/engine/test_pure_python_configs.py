"""Configs that hold classes: trained, written, read again, classified."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from mmvidadapt.apis.train.config import flatten, load_config
from mmvidadapt.apis.use.adapters import load_adapter
from mmvidadapt.apis.use.inference import Classifier
from mmvidadapt.engine.plain_config import plain_config, plain_dict
from mmvidadapt.weights.adapter_file import read_adapter
from tests import runs

BASE = """
from mmaction.evaluation import AccMetric
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, TestLoop, ValLoop
from torch.optim import AdamW

from mmvidadapt.engine import (
    AdapterCheckpointHook, StrictLoadHook, TrainedParamsConstructor,
    TrainedParamsHook)

default_scope = None
default_hooks = dict(
    logger=dict(type=LoggerHook, interval=1),
    checkpoint=dict(type=CheckpointHook, interval=1))
custom_hooks = [
    dict(type=TrainedParamsHook), dict(type=StrictLoadHook),
    dict(type=AdapterCheckpointHook)]
optim_wrapper = dict(
    type=OptimWrapper, constructor=TrainedParamsConstructor,
    optimizer=dict(type=AdamW, lr=0.01))
train_cfg = dict(type=EpochBasedTrainLoop, max_epochs=1)
val_cfg, test_cfg = dict(type=ValLoop), dict(type=TestLoop)
val_evaluator = test_evaluator = dict(type=AccMetric)
"""

CONFIG = """
from mmengine.config import read_base

with read_base():
    from .base import *

from mmaction.datasets.transforms import (
    FormatShape, PackActionInputs, Resize, SampleFrames)
from mmaction.models import ActionDataPreprocessor, Recognizer3D

from mmvidadapt.datasets import CheckedVideoDataset
from mmvidadapt.datasets.transforms import VideoDecode, VideoInit
from mmvidadapt.models import AIM, Float32I3DHead

# more
model = dict(
    type=Recognizer3D,
    backbone=dict(
        type=AIM, arch='tiny', img_size=16, num_frames=4,
        pretrained=TRUNK),
    cls_head=dict(
        type=Float32I3DHead, num_classes=4, in_channels=32,
        average_clips='prob'),
    data_preprocessor=dict(
        type=ActionDataPreprocessor, mean=[120.0] * 3, std=[60.0] * 3,
        format_shape='NCTHW'))
train_pipeline = val_pipeline = test_pipeline = [
    dict(type=VideoInit, backend='auto'),
    dict(
        type=SampleFrames, clip_len=4, frame_interval=2, num_clips=1,
        test_mode=True),
    dict(type=VideoDecode),
    dict(type=Resize, scale=(16, 16), keep_ratio=False),
    dict(type=FormatShape, input_format='NCTHW'),
    dict(type=PackActionInputs)]
train_dataloader = val_dataloader = test_dataloader = dict(
    batch_size=4, num_workers=0, collate_fn=dict(type=pseudo_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=CheckedVideoDataset, ann_file=LISTING,
        data_prefix=dict(video=VIDEOS), pipeline=test_pipeline))
"""


@pytest.fixture
def lazy(listing, tmp_path, trunk):
    """Write a pure Python config with a base."""
    text = CONFIG
    for name, value in dict(
        TRUNK=trunk, LISTING=listing, VIDEOS=listing.parent
    ).items():
        text = text.replace(name, repr(str(value)))
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'pure.py').write_text(text)
    return tmp_path / 'pure.py'


def test_what_a_run_writes_is_read_again(lazy, listing, tmp_path):
    config = Config.fromfile(lazy)
    config.work_dir = str(tmp_path / 'work')
    runner = Runner.from_cfg(config)
    runner.train()
    path = tmp_path / 'work/epoch_1.adapter.safetensors'
    model = load_adapter(path)
    assert read_adapter(path).metrics['acc/top1'] >= 0
    for name, value in runner.model.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name

    video = listing.parent / 'clip0.mp4'
    checkpoint = str(tmp_path / 'work/epoch_1.pth')
    whole, small = (
        Classifier(c, f, device='cpu')
        for c, f in ((config, checkpoint), (model.cfg, str(path)))
    )
    (first,), (second,) = whole.video(video), small.video(video)
    assert first == second and len(first.top) == 4
    frames = [np.zeros((24, 32, 3), np.uint8)] * 8
    assert len(whole.frames(frames)) == 4


def test_its_names_are_what_other_configs_have(lazy):
    config = load_config(lazy, {'model.backbone.num_frames': 8})
    assert config.model.type == 'Recognizer3D'
    assert config.model.backbone.type == 'AIM'
    assert config.model.backbone.num_frames == 8
    assert config.optim_wrapper.optimizer.type == 'AdamW'
    assert config.train_dataloader.collate_fn.type == 'pseudo_collate'
    assert config.default_scope == 'mmaction'
    assert 'AIM' not in config and config.filename == str(lazy)
    again = Config.fromstring(flatten(lazy), '.py')
    assert again.to_dict() == load_config(lazy).to_dict()


def test_other_values_become_plain_too():
    config = Config(
        dict(
            default_scope='mmengine',
            model=dict(type=torch.nn.Identity, dtype=torch.float16),
            rates=[np.float32(0.5), (np.int64(2), None)],
            work_dir=Path('work'),
        )
    )
    assert plain_dict(config) == dict(
        default_scope='mmengine',
        model=dict(type='torch.nn.modules.linear.Identity', dtype='float16'),
        rates=[0.5, (2, None)],
        work_dir='work',
    )
    assert type(plain_dict(config)['rates'][0]) is float
    usual = Config(dict(model=dict(type='AIM'), default_scope=None))
    assert plain_config(usual) is usual


def warned(runner):
    """Train; return why no adapter file was written."""
    said = []
    runner.logger.warning = lambda text, *args: said.append(str(text))
    runner.train()
    (line,) = [text for text in said if 'writes nothing' in text]
    return line


def test_a_class_that_nothing_registers_ends_in_no_unreadable_file(
    lazy, tmp_path
):
    text = lazy.read_text().replace('# more', 'from torch.nn import Identity')
    text += 'test_pipeline = [*test_pipeline, dict(type=Identity)]\n'
    lazy.write_text(text)
    config = Config.fromfile(lazy)
    config.work_dir = str(tmp_path / 'work')
    line = warned(Runner.from_cfg(runs.without_validation(config)))
    assert not list(tmp_path.glob('work/*.adapter.safetensors'))
    assert 'torch.nn.modules.linear.Identity' in line
    assert 'could not be read again' in line


def test_a_run_without_a_config_of_its_model_trains(listing, tmp_path):
    config = runs.recipe(listing, tmp_path / 'work')
    runner = Runner(
        MODELS.build(config.model),
        config.work_dir,
        train_dataloader=config.train_dataloader,
        train_cfg=config.train_cfg,
        optim_wrapper=config.optim_wrapper,
        default_hooks=config.default_hooks,
        custom_hooks=[dict(type='AdapterCheckpointHook')],
        default_scope='mmaction',
        experiment_name=config.experiment_name,
    )
    assert 'does not describe its model' in warned(runner)
    assert (tmp_path / 'work/epoch_1.pth').is_file()
