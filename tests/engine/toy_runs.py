"""Runs of a toy model with all hooks, which take a fraction of a second."""

import gc
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine import hooks
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner, runner
from torch import nn
from torch.utils.data import Dataset

from tests import runs

SIZE, WIDTH = 12, 4


@MODELS.register_module(force=True)
class Toy(BaseModel):
    """A frozen and a trained layer with dropout between them."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.head = nn.Linear(WIDTH, 8), nn.Linear(8, 1)
        self.trunk.requires_grad_(False)

    def forward(self, inputs: list, mode: str) -> Any:
        """Give a loss, or what the metric reads."""
        feature = self.trunk(torch.stack(inputs))
        out = self.head(nn.functional.dropout(feature, 0.5, self.training))
        return dict(loss=out.square().mean()) if mode == 'loss' else list(out)


@DATASETS.register_module(force=True)
class ToySet(Dataset):
    """Numbers with noise of python, numpy and torch."""

    metainfo = dict(classes=('a', 'b'))

    def __init__(self, noise: float = 0.0, size: int = SIZE) -> None:
        self.noise, self.size = noise, size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        noise = random.random() + np.random.rand() + torch.rand(())
        return dict(inputs=torch.full((WIDTH,), index + self.noise * noise))


@METRICS.register_module(force=True)
class ToyMetric(BaseMetric):
    """An accuracy that goes up and down, as a function of the weights."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        """Collect."""
        self.results += [float(out) for out in data_samples]

    def compute_metrics(self, results: list) -> dict:
        """Be best behind the second epoch of three."""
        return dict(acc=1 / (1 + abs(sum(results) - 3.6)))


@HOOKS.register_module(force=True)
class Sender(Hook):
    """Send a signal to this process in a step."""

    def __init__(
        self, number: int, iteration: int, in_val: bool = False
    ) -> None:
        self.number, self.iteration = number, iteration
        self.in_val = in_val

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Send it in training."""
        if not self.in_val and runner.iter == self.iteration:
            os.kill(os.getpid(), self.number)

    def before_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Send it in a validation."""
        if self.in_val and runner.iter == self.iteration and batch_idx == 1:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare what takes the time of short runs."""
    monkeypatch.setattr(Config, 'pretty_text', property(lambda c: ''))
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(gc, 'collect', lambda *args: 0)
    monkeypatch.setattr(os, 'fsync', lambda descriptor: None)
    for hook in (hooks.runtime_info_hook, runner):  # git is asked every time
        monkeypatch.setattr(hook, 'get_git_hash', lambda *args: '')


def recipe(
    work_dir: Path, epochs: int = 3, ema: bool = False, **changes: Any
) -> Config:
    """Return the config of a toy run with the hooks of the runtime.

    Of changes, ``.`` is written as ``__``.
    """
    runtime = Config.fromfile(runs.ROOT / 'configs/_base_/runtime.py')
    cosine = dict(type='CosineAnnealingLR', T_max=epochs, end=epochs)
    val = dict(batch_size=4, num_workers=0, dataset=dict(type='ToySet'))
    val['sampler'] = dict(type='DefaultSampler', shuffle=False)
    optim = dict(type='OptimWrapper', constructor='TrainedParamsConstructor')
    entries = dict(
        log_level='WARNING',
        experiment_name=f'toy_{next(runs.NUMBER)}',
        work_dir=str(work_dir),
        vis_backends=[],
        visualizer=dict(vis_backends=[]),
        model=dict(type='Toy'),
        train_dataloader=dict(
            val,
            dataset=dict(type='ToySet', noise=0.1),
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        val_dataloader=val,
        val_evaluator=dict(type='ToyMetric'),
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=epochs),
        val_cfg=dict(type='ValLoop'),
        optim_wrapper=dict(optim, optimizer=dict(type='AdamW', lr=0.01)),
        param_scheduler=[
            dict(cosine, by_epoch=True, convert_to_iter_based=True)
        ],
        default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)),
        randomness=dict(seed=0),
    )
    entries['train_cfg']['val_interval'] = 1
    runtime.merge_from_dict(entries)
    dotted = {key.replace('__', '.'): value for key, value in changes.items()}
    runtime.merge_from_dict(dotted)
    if ema:
        average = dict(type='EMAHook', momentum=0.3)
        runtime.custom_hooks.insert(0, average)
    return runtime


def train(config: Config) -> Runner:
    """Train."""
    runner = Runner.from_cfg(config)
    runner.train()
    return runner
