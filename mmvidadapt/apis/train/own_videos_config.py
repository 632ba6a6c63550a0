"""A config for own videos, derived from a method's Kinetics-400 config."""

import math
import os
from pathlib import Path
from typing import Dict, List, Optional

from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.video_folders import SPLITS
from mmvidadapt.trunks.follow_trunk import follow_trunk
from mmvidadapt.utils.process_pool import num_cores

from ..data.frame_config import use_frames
from .config import find_recipe, load_config
from .config_variables import merge_options
from .few_clips import use_few_clips
from .image_size import check_crops, image_size, resize_steps
from .own_choices import Choices
from .own_labels import (
    explain_labels,
    explain_other,
    other_name,
    use_labels,
    use_other,
)
from .own_views import (
    drop_steps,
    may_flip,
    see_the_whole,
    seen_as_a_whole,
    sided,
)
from .schedule import rescale_rate, stretch_schedule
from .uneven_classes import (
    Balance,
    choose_balance,
    num_drawn,
    repeat_rare,
    weigh_classes,
)


def _fit(cfg: Config, data: OwnData, choices: Choices) -> None:
    """Fit pipelines, rate and schedule to the data and the choices."""
    if data.frames is not None:
        use_frames(cfg, data)
    if seen_as_a_whole(data, choices):
        see_the_whole(cfg)
    if not may_flip(data, choices):
        drop_steps(cfg, 'Flip')
    if choices.img_size:
        resize_steps(cfg, image_size(cfg.model.backbone)[0], choices.img_size)
        cfg.model.backbone.img_size = choices.img_size
    num_train = len(data.splits['train'])
    rescale_rate(cfg, choices.batch_size, choices.gpus, num_train)
    how = balance_of(cfg, data, choices).how
    if how == 'weights':
        weigh_classes(cfg, data)
    num_train = num_drawn(data, how)
    stretch_schedule(cfg, choices.epochs, choices.gpus, num_train)
    if choices.few_clips:
        use_few_clips(cfg)


def own_config(
    data: OwnData,
    lists: Path,
    choices: Choices,
    options: Optional[Dict] = None,
    fold: Optional[int] = None,
) -> Config:
    """Derive a config for own videos.

    Args:
        data (OwnData): The videos.
        lists (Path): The folder of their lists.
        choices (Choices): The method and its settings.
        options (Dict, optional): Dotted names and values that override
            entries of the result. Defaults to None.
        fold (int, optional): The fold that is tested. Defaults to None.

    Returns:
        Config: It inherits nothing.
    """
    recipe = find_recipe(choices.method, choices.arch)
    cfg = load_config(recipe, trunk=choices.trunk)
    cfg.work_dir = work_dir(lists, choices, fold)
    use_labels(cfg, data)
    other = other_name(data, choices.other)
    if other:
        use_other(cfg, other, choices.false_alarm_rate)
    _use_lists(cfg, data, lists.absolute())
    _fit(cfg, data, choices)
    for split in SPLITS:
        cfg[f'{split}_pipeline'] = cfg[f'{split}_dataloader'].dataset.pipeline
    cfg = merge_options(cfg, options or {})
    follow_trunk(cfg.model)
    check_crops(cfg)
    if balance_of(cfg, data, choices).how == 'sampling':
        repeat_rare(cfg, data)
    _try(cfg)
    return cfg


def balance_of(cfg: Config, data: OwnData, choices: Choices) -> Balance:
    """Choose what is done about uneven classes, when the batch is known."""
    batch = cfg.train_dataloader.batch_size * choices.gpus
    return choose_balance(data, batch, choices.balance)


def work_dir(lists: Path, choices: Choices, fold: Optional[int] = None) -> str:
    """Name the folder of a run after its data: no other data has the same.

    Args:
        lists (Path): The folder of the lists.
        choices (Choices): The method and its settings.
        fold (int, optional): See :func:`own_config`. Defaults to None.

    Returns:
        str: ``'work_dirs/data/mine/aim_vitb16'`` for lists in ``data/mine``,
        of fold 1 ``'work_dirs/data/mine/aim_vitb16_fold1'``.
    """
    folder, here = Path(os.path.abspath(lists)), Path.cwd()
    if here in (folder, *folder.parents):
        folder = folder.relative_to(here)
    else:
        folder = Path('outside', folder.relative_to(folder.anchor))
    name = choices.name + ('' if fold is None else f'_fold{fold}')
    return Path('work_dirs', folder, name).as_posix()


def _use_lists(cfg: Config, data: OwnData, lists: Path) -> None:
    """Set the lists that the loaders read."""
    filled = [split for split in ('test', 'val') if data.splits[split]]
    if not filled or not data.splits['train']:
        raise ValueError(
            'There is nothing to train on or nothing to evaluate with: '
            + ', '.join(f'{len(c)} {s}' for s, c in data.splits.items())
            + ' videos. Choose other shares with --split.'
        )
    cfg.pop('data_root_val', None)
    cfg.data_root = str(data.root.absolute())
    cfg.metainfo = dict(classes=data.classes)
    for split in SPLITS:
        loader = cfg[f'{split}_dataloader']
        source = split if data.splits[split] else filled[0]
        loader.num_workers = min(loader.num_workers, num_cores())
        cfg[f'ann_file_{split}'] = str(lists / f'{source}.txt')
        loader.dataset.update(
            ann_file=cfg[f'ann_file_{split}'],
            data_prefix=dict(video=cfg.data_root),
            metainfo=cfg.metainfo,
        )


def _try(cfg: Config) -> None:
    """Build the model, without memory if possible, to find mistakes now."""
    import torch
    from mmaction.registry import MODELS

    scope = cfg.get('default_scope', 'mmaction')
    with DefaultScope.overwrite_default_scope(scope):
        try:
            with torch.device('meta'):
                MODELS.build(cfg.model)
        except RuntimeError as error:
            if 'meta tensors' not in str(error):  # of no other use
                raise
            MODELS.build(cfg.model)


def explain(cfg: Config, data: OwnData, choices: Choices) -> List[str]:
    """Explain what was decided, and how to decide otherwise."""
    loader, balance = cfg.train_dataloader, balance_of(cfg, data, choices)
    num_train = num_drawn(data, balance.how)
    batch, epochs = loader.batch_size * choices.gpus, cfg.train_cfg.max_epochs
    steps = math.ceil(num_train / batch)
    said = [
        f'{epochs} epochs of {steps} steps with {batch} clips each, '
        f'learning rate {cfg.optim_wrapper.optimizer.lr:g} (--epochs, '
        '--batch-size, --gpus).',
        *explain_labels(data),
        *[balance.reason] * bool(balance.reason),
        *explain_other(
            data, other_name(data, choices.other), choices.false_alarm_rate
        ),
    ]
    if seen_as_a_whole(data, choices):
        said.append('Frames are spread over the whole video (--sampling).')
    names = sided(data.classes)
    if names and choices.flip is None:
        said.append(
            f'No mirroring, for the sake of {", ".join(names)} (--flip).'
        )
    return said
