"""Fit a recipe's learning rate and schedule to another batch and data set."""

import math
from typing import Optional

from mmengine.config import Config, ConfigDict

# A small data set is seen so often that there are about so many steps.
MIN_STEPS, MAX_EPOCHS = 2000, 100
STEPS_PER_EPOCH = 10  # at least, where the batch size is not chosen
EVALUATIONS = 20  # at most, in one run


def rescale_rate(
    cfg: Config, batch_size: Optional[int], gpus: int, num_train: int
) -> None:
    """Set the batch size and the learning rate that goes with it.

    Linear in the batch for SGD, by its square root for Adam and its kin,
    whose steps have a size of their own. No steps are accumulated.

    Args:
        cfg (Config): A recipe.
        batch_size (int, optional): Clips per GPU; None: as the recipe says.
        gpus (int): Number of GPUs.
        num_train (int): Number of training videos.
    """
    wrapper, loader = cfg.optim_wrapper, cfg.train_dataloader
    before = cfg.auto_scale_lr.base_batch_size
    before *= wrapper.pop('accumulative_counts', 1)
    small = max(1, num_train // (STEPS_PER_EPOCH * gpus))
    loader.batch_size = batch_size or min(loader.batch_size, small)
    now = loader.batch_size * gpus
    power = 1.0 if wrapper.optimizer.type == 'SGD' else 0.5
    rate = wrapper.optimizer.lr * (now / before) ** power
    wrapper.optimizer.lr = float(f'{rate:.3g}')
    cfg.auto_scale_lr.base_batch_size = now


def stretch_schedule(
    cfg: Config, epochs: Optional[int], gpus: int, num_train: int
) -> None:
    """Set the number of epochs and stretch the schedule to it.

    Args:
        cfg (Config): A recipe whose batch size is set.
        epochs (int, optional): Number of epochs; None: as the recipe says,
            and more for a small data set.
        gpus (int): Number of GPUs.
        num_train (int): Number of training videos.
    """
    loop, hooks = cfg.train_cfg, cfg.default_hooks
    steps = math.ceil(num_train / (cfg.train_dataloader.batch_size * gpus))
    if epochs is None:
        enough = min(MAX_EPOCHS, math.ceil(MIN_STEPS / steps))
        epochs = max(loop.max_epochs, enough)
    for scheduler in cfg.param_scheduler:
        _stretch(scheduler, epochs / loop.max_epochs)
    cfg.param_scheduler = [
        scheduler
        for scheduler in cfg.param_scheduler
        if _lasts(scheduler, steps)
    ]
    loop.max_epochs = epochs
    seldom = math.ceil(epochs / EVALUATIONS)
    loop.val_interval = max(loop.get('val_interval', 1), seldom)
    hooks.checkpoint.interval = loop.val_interval
    hooks.logger.interval = min(hooks.logger.interval, steps)


def _stretch(scheduler: ConfigDict, factor: float) -> None:
    """Multiply what a scheduler counts in epochs."""
    whole = not scheduler.get('convert_to_iter_based')
    for key in {'begin', 'end', 'T_max'} & set(scheduler):
        value = round(scheduler[key] * factor, 3)
        scheduler[key] = round(value) if whole or value % 1 == 0 else value
    if 'milestones' in scheduler:
        scheduler.milestones = [
            round(stone * factor) for stone in scheduler.milestones
        ]


def _lasts(scheduler: ConfigDict, steps: int) -> bool:
    """Check whether a scheduler has a step, or an epoch, to act on."""
    if 'end' not in scheduler:
        return True
    scale = steps if scheduler.get('convert_to_iter_based') else 1
    return int(scheduler.end * scale) > int(scheduler.get('begin', 0) * scale)
