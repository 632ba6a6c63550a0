"""Training steps from a feature cache beside the same steps from video."""

import copy
import time
from itertools import chain, repeat
from statistics import median
from typing import Dict

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from ..use.inference import load_strictly

ROUNDS = 5


def from_video(cfg: Config) -> Config:
    """Make a config that reads its training set from videos, not a cache.

    Args:
        cfg (Config): Written by ``tools/cache_features.py``.

    Returns:
        Config: A copy with the data set that was cached.
    """
    cfg = copy.deepcopy(cfg)
    loader = cfg.train_dataloader
    if loader.dataset.type != 'CachedFeatures':
        raise ValueError(
            f'The training set is a {loader.dataset.type}, not CachedFeatures;'
            ' give the config.py that tools/cache_features.py wrote, with '
            'train among its --splits.'
        )
    loader.dataset = loader.dataset.dataset
    return cfg


class Training:
    """A model, its optimizer and batches without end.

    Args:
        cfg (Config): What is trained.
        seed (int): Of the order of the clips.
    """

    def __init__(self, cfg: Config, seed: int) -> None:
        self.model = MODELS.build(cfg.model)
        self.model.init_weights()
        if cfg.get('load_from'):
            load_strictly(self.model, cfg.load_from)
        self.model.train()
        self.optimizer = build_optim_wrapper(self.model, cfg.optim_wrapper)
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=seed)
        self.batches = chain.from_iterable(repeat(loader))

    def seconds(self, iters: int) -> float:
        """Time some steps, data included."""
        start = time.perf_counter()
        for _ in range(iters):
            self.model.train_step(next(self.batches), self.optimizer)
        return time.perf_counter() - start


def compare_with_video(
    cfg: Config, iters: int = 50, seed: int = 0
) -> Dict[str, float]:
    """Time both, in turns, so that a noisy machine is noisy for both.

    Args:
        cfg (Config): Written by ``tools/cache_features.py``.
        iters (int): Steps of each in every round. Defaults to 50.
        seed (int): Of the order of the clips. Defaults to 0.

    Returns:
        Dict[str, float]: Median steps a second, ``video`` and ``cache``.
    """
    runs = dict(
        video=Training(from_video(cfg), seed), cache=Training(cfg, seed)
    )
    for training in runs.values():
        training.seconds(2)  # warm up
    times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, training in runs.items():
            times[name].append(training.seconds(iters))
    return {name: iters / median(own) for name, own in times.items()}
