"""Split clips into parts by group, with the classes in proportion."""

import math
import random
from collections import Counter, defaultdict
from typing import Dict, Iterable, List, Sequence

from .video_folders import SPLITS, Clip

ALL = object()  # stands for all classes together


def split_clips(
    clips: Sequence[Clip], shares: Sequence[float], seed: int = 0
) -> List[List[Clip]]:
    """Split clips so that no group is in two parts.

    The groups (clips without one are groups of their own) are shuffled, then
    dealt out, the largest first, each to the part where it brings the shares
    of its classes nearest to those that are wanted.

    Args:
        clips (Sequence[Clip]): The clips.
        shares (Sequence[float]): How much of the whole every part is to get;
            0 gives an empty part.
        seed (int): Decides the order of the groups. Defaults to 0.

    Returns:
        List[List[Clip]]: The parts, each in the order of ``clips``.
    """
    groups: Dict[object, List[Clip]] = defaultdict(list)
    for number, clip in enumerate(clips):
        groups[clip.group or number].append(clip)
    order = list(groups)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda name: -len(groups[name]))  # keeps ties shuffled
    total = count_labels(clips)
    total[ALL] = len(clips)
    parts: List[List[Clip]] = [[] for _ in shares]
    counts = [Counter() for _ in shares]
    for name in order:
        gain = count_labels(groups[name])
        gain[ALL] = len(groups[name])
        costs = [
            _cost(gain, count, total, share) if share > 0 else math.inf
            for count, share in zip(counts, shares)
        ]
        best = costs.index(min(costs))
        parts[best] += groups[name]
        counts[best] += gain
    place = {id(clip): number for number, clip in enumerate(clips)}
    return [sorted(part, key=lambda c: place[id(c)]) for part in parts]


def count_labels(clips: Iterable[Clip]) -> Counter:
    """Count the clips of every label."""
    return Counter(label for clip in clips for label in clip.labels)


def _cost(
    gain: Counter, count: Counter, total: Counter, share: float
) -> float:
    """Compute how much further from its share a group brings a part."""
    return sum(
        ((count[k] + n) / total[k] - share) ** 2
        - (count[k] / total[k] - share) ** 2
        for k, n in gain.items()
    )


def split_into(
    clips: Sequence[Clip], shares: Sequence[float], seed: int = 0
) -> Dict[str, List[Clip]]:
    """Split into train, val and test, unless the clips say their split.

    Args:
        clips (Sequence[Clip]): The clips.
        shares (Sequence[float]): Of train, val and test; in percent, say.
        seed (int): See :func:`split_clips`. Defaults to 0.

    Returns:
        Dict[str, List[Clip]]: The clips of every split.
    """
    if any(clip.split for clip in clips):
        return {s: [c for c in clips if c.split == s] for s in SPLITS}
    if min(shares) < 0 or sum(shares) <= 0:
        raise ValueError(
            f'--split {shares}: no share is negative, and one is not 0.'
        )
    parts = split_clips(clips, [s / sum(shares) for s in shares], seed)
    return dict(zip(SPLITS, parts))


def split_fold(
    clips: Sequence[Clip], num_folds: int, fold: int, seed: int = 0
) -> Dict[str, List[Clip]]:
    """Split for cross-validation.

    Args:
        clips (Sequence[Clip]): The clips.
        num_folds (int): Number of folds, at least 3.
        fold (int): The one that is tested; the next one validates.
        seed (int): See :func:`split_clips`. Defaults to 0.

    Returns:
        Dict[str, List[Clip]]: The clips of every split.
    """
    if num_folds < 3 or not 0 <= fold < num_folds:
        raise ValueError(
            f'--folds {num_folds} --fold {fold}: give 3 folds or more, and '
            'one of them, counted from 0.'
        )
    folds = split_clips(clips, [1 / num_folds] * num_folds, seed)
    test, val = folds[fold], folds[(fold + 1) % num_folds]
    held_out = {id(clip) for clip in test + val}
    train = [clip for clip in clips if id(clip) not in held_out]
    return dict(train=train, val=val, test=test)
