"""Draw clips of rare classes more often, or give them more weight."""

import math
from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Sequence

from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.split_clips import count_labels

HOW = ('sampling', 'weights', 'none')
UNEVEN = 4  # times as many clips as a rare class has, in the largest
# In batches from here on, weights of a loss act as they say.
LARGE_BATCH = 32
DIGITS = 10**6  # of a share in a config


class Balance(NamedTuple):
    """What is done about uneven classes: one of HOW, and why."""

    how: str
    reason: str = ''


def choose_balance(
    data: OwnData, batch: int, how: Optional[str] = None
) -> Balance:
    """Choose what is done about uneven classes.

    Nothing where the largest class has less than four times the clips of the
    smallest. Otherwise clips of rare classes are repeated
    (``ClassBalancedDataset``), in large batches with one label a clip their
    loss has weight instead: mmaction2 divides by the weights of the batch, so
    that in a batch of few clips they cancel out. Folders of frames are not
    repeated, for ``RawframeDataset`` does not list its labels.

    Args:
        data (OwnData): The videos.
        batch (int): Number of clips in a batch.
        how (str, optional): One of ``HOW``, chosen by the user.
            Defaults to None: as above.

    Returns:
        Balance: What to do, and a sentence that gives the reason.

    Raises:
        ValueError: If weights are asked for where clips have no single label,
            or repeated folders of frames.
    """
    counts = _counts(data)
    if not counts:  # of the last task no label is known
        return Balance('none')
    few, most = min(counts, key=counts.get), max(counts, key=counts.get)
    single = not (data.several or data.tasks)
    if how == 'weights' and not single:
        raise ValueError(
            '--balance weights is for clips of one label; choose sampling.'
        )
    if how == 'sampling' and data.frames is not None:
        raise ValueError(
            '--balance sampling is for video files; choose weights.'
        )
    said = (
        f'from {counts[few]} training clips of {few} to {counts[most]} of '
        f'{most}'
    )
    if how is None and counts[most] < UNEVEN * counts[few]:
        return Balance('none')
    if how is None:
        large = batch >= LARGE_BATCH or data.frames is not None
        how = 'weights' if single and large else 'sampling'
    if how == 'none':
        return Balance('none', f'Classes are as they are, {said} (--balance).')
    if how == 'weights':
        return Balance(
            how,
            f'Classes are uneven, {said}: the loss of a class has weight by '
            'the square root of its rarity (--balance).',
        )
    return Balance(
        how,
        f'Classes are uneven, {said}: clips of classes with less than a '
        f'quarter of the largest are seen up to '
        f'{max(_repeats(data).values())} times an epoch (--balance).',
    )


def weigh_classes(cfg: Config, data: OwnData) -> None:
    """Give the loss of rare classes more weight.

    Args:
        cfg (Config): A config for own videos; it is changed.
        data (OwnData): The videos.
    """
    counts = _counts(data)
    weights = class_weights([counts[name] for name in data.classes])
    loss = dict(type='CrossEntropyLoss', class_weight=weights)
    cfg.model.cls_head.loss_cls = loss


def repeat_rare(cfg: Config, data: OwnData) -> None:
    """Repeat clips of rare classes in an epoch.

    Args:
        cfg (Config): A config for own videos; it is changed.
        data (OwnData): The videos.
    """
    loader = cfg.train_dataloader
    loader.dataset = ConfigDict(
        type='ClassBalancedDataset',
        oversample_thr=_threshold(data),
        dataset=loader.dataset,
    )


def num_drawn(data: OwnData, how: str) -> int:
    """Count the clips of an epoch, repeated ones as often as they are seen.

    Args:
        data (OwnData): The videos.
        how (str): One of ``HOW``.

    Returns:
        int: At least the number of training clips.
    """
    clips = data.splits['train']
    if how != 'sampling':
        return len(clips)
    repeats = _repeats(data)
    return sum(
        max((repeats.get(label, 1) for label in clip.labels), default=1)
        for clip in clips
    )


def class_weights(counts: Sequence[int]) -> List[float]:
    """Weigh classes by the square root of their rarity.

    Args:
        counts (Sequence[int]): Number of training clips of every class, 0
            for one that has none.

    Returns:
        List[float]: Weights whose mean over all clips is 1; 1 for a class
        without clips.
    """
    roots = [math.sqrt(number) for number in counts]
    scale = sum(counts) / sum(roots)
    return [round(scale / root, 4) if root else 1.0 for root in roots]


def _counts(data: OwnData) -> Counter:
    """Count the training clips of every class that has some.

    Of several tasks the classes of the last one, as ``CheckedVideoDataset``
    balances them.
    """
    counts = count_labels(data.splits['train'])
    if data.tasks:
        kept = data.of_task(data.tasks[-1])
        counts = Counter({c: counts[c] for c in kept if counts[c]})
    return counts


def _threshold(data: OwnData) -> float:
    """Return the share of clips below which a class is repeated."""
    most = max(_counts(data).values())
    share = most / UNEVEN / len(data.splits['train'])
    return math.floor(share * DIGITS) / DIGITS  # up would repeat others, too


def _repeats(data: OwnData) -> Dict[str, int]:
    """Count how often clips of a class are seen, as mmengine does."""
    share, total = _threshold(data), len(data.splits['train'])
    return {
        name: math.ceil(max(1.0, math.sqrt(share / (number / total))))
        for name, number in _counts(data).items()
    }
