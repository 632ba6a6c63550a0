"""Equal random numbers with and without an interruption."""

import logging
from functools import partial
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dataset import worker_init_fn as mmengine_worker_init_fn
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmvidadapt.utils.random_seed import seed_everything

from ..seed import seed_worker
from ..train_loaders import train_loaders


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Make the random numbers of an epoch depend on (seed, epoch, rank) only.

    It is for epoch-based loops: an ``IterBasedTrainLoop`` has one epoch, in
    whose middle a resumed run draws other numbers than an uninterrupted one.

    Without it an epoch continues the random stream of the epochs before it,
    which a resumed run has not consumed: crops, flips and dropped paths
    differ. Data loading workers follow through ``seed_worker``, which takes
    the place of mmengine's default; a ``worker_init_fn`` of the config stays.
    Workers that live on between epochs keep a stream of their own, hence
    ``persistent_workers=True`` is reported.
    """

    priority = 'HIGH'  # before DistSamplerSeedHook

    def before_train(self, runner: Runner) -> None:
        """Set ``seed_worker``, which draws from the state of this process."""
        for loader in train_loaders(runner):
            init = loader.worker_init_fn
            if init is None or is_mmengines(init):
                loader.worker_init_fn = seed_worker
            if loader.persistent_workers:
                print_log(
                    'train_dataloader.persistent_workers=True: a resumed run '
                    'will draw other random numbers than an uninterrupted '
                    'one. Set it to False for reproducible resuming.',
                    logger='current',
                    level=logging.WARNING,
                )

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process, and the sampler with the run's own seed."""
        seed = runner.seed
        if runner._randomness_cfg.get('diff_rank_seed'):
            seed -= runner.rank
        seed_everything(seed, runner.epoch, runner.rank)
        for loader in train_loaders(runner):
            restore_sampler_seed(loader, seed)


def is_mmengines(init: Any) -> bool:
    """Check whether a worker function is mmengine's own default."""
    return isinstance(init, partial) and init.func is mmengine_worker_init_fn


def restore_sampler_seed(loader: DataLoader, seed: int) -> None:
    """Restore the seed of the sampler, which was built with a fresh one."""
    for sampler in (loader.sampler, loader.batch_sampler):
        if hasattr(sampler, 'seed') and hasattr(sampler, 'set_epoch'):
            sampler.seed = seed
