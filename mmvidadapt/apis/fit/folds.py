"""Divide clips into folds, and hold clips out, by whole groups.

A group (a person, a place, a recording) is never on two sides, every class is
always trained on, and the classes are in proportion as far as the groups
allow.
"""

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from mmvidadapt.datasets.prepare.video_folders import Clip

from .intervals import number_groups

TRIES = 5  # orders of the groups, of which the best division is taken
ROUGHLY = 0.3  # disorder of their sizes, so that seeds differ
WORK = 4000  # groups in all tries; many groups divide well at the first
REMAIN = 3  # groups, at least, where some are held out
ALWAYS = -1  # in place of a fold: is trained on in all of them


class Fold(NamedTuple):
    """Places of the clips that are trained on and of those tested."""

    train: np.ndarray
    test: np.ndarray


def folds(clips: Sequence[Clip], number: int = 5, seed: int = 0) -> List[Fold]:
    """Divide clips for cross-validation over groups.

    Every group is tested once, but for those that hold all clips of a class:
    they are always trained on, see
    :func:`~mmvidadapt.apis.fit.sentences.describe_folds`. Where there are as
    few groups as folds, or one more, each is a fold of its own.

    Args:
        clips (Sequence[Clip]): The clips; one without a group is a group of
            its own.
        number (int): Number of folds, at least 2. Defaults to 5.
        seed (int): Decides which groups meet in a fold. Defaults to 0.

    Returns:
        List[Fold]: The folds, fewer where there are fewer groups.

    Raises:
        ValueError: If every group holds all clips of some class.
    """
    if number < 2:
        raise ValueError(f'{number} folds: give 2 or more.')
    index, counts = count_groups(clips)
    free = ~alone(counts)
    if not free.any():
        raise ValueError(
            f'Each of the {len(counts)} groups holds all clips of a class: '
            'what is trained on the others does not know it. Film every '
            'class in two groups at least, or choose groups that classes '
            'share (--group-pattern, --group-column).'
        )
    if free.sum() <= number + 1:
        places = np.full(len(counts), ALWAYS)  # (G,)
        places[free] = np.arange(free.sum())
    else:
        places = _divide(counts, number, seed)
    return _as_folds(places[index])


def hold_out(
    clips: Sequence[Clip], share: float = 0.2, seed: int = 0, least: int = 2
) -> Fold:
    """Hold groups out of everything, for one test at the end.

    Where the clips say their split, those of ``test`` are held out, or else
    those of ``val``.

    Args:
        clips (Sequence[Clip]): The clips; one without a group is a group of
            its own.
        share (float): About how much of the clips is held out, half at most;
            a third, say, or a fifth. Defaults to 0.2.
        seed (int): Decides which groups are held out. Defaults to 0.
        least (int): How many groups are held out at least; a single one
            says nothing about others. Defaults to 2.

    Returns:
        Fold: What may be trained on, and what is held out: nothing, where
        less than three groups would remain.
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f'A share of {share} is held out: give 0 to 0.5.')
    everything = np.arange(len(clips))
    for split in ('test', 'val'):
        held = np.array([clip.split == split for clip in clips])
        if held.any():
            return Fold(everything[~held], everything[held])
    index, counts = count_groups(clips)
    free = ~alone(counts)
    most = min(round(1 / share), free.sum()) if share else 0
    for number in range(most, 1, -1):
        places = _divide(counts, number, seed)
        sizes = np.bincount(places[free], minlength=number)  # groups a fold
        large = (sizes >= least) & (len(counts) - sizes >= REMAIN)
        if large.any():
            costs = np.where(large, _costs(counts, places, number), np.inf)
            fold = int(costs.argmin())
            return _as_folds(np.where(places == fold, 0, ALWAYS)[index])[0]
    return Fold(everything, everything[:0])


def count_groups(clips: Sequence[Clip]) -> Tuple[np.ndarray, np.ndarray]:
    """Count the clips of every class in every group.

    Args:
        clips (Sequence[Clip]): The clips.

    Returns:
        Tuple[np.ndarray, np.ndarray]: The number of every clip's group,
        ``(N,)``, and the counts, ``(G, K)``, of the classes by their names.
    """
    index = number_groups([clip.group for clip in clips])  # (N,)
    names, labels = np.unique([c.label for c in clips], return_inverse=True)
    counts = np.zeros((index.max() + 1, len(names)), dtype=np.int64)  # (G, K)
    np.add.at(counts, (index, labels), 1)
    return index, counts


def alone(counts: np.ndarray) -> np.ndarray:
    """Mark groups that hold all clips of a class, from counts ``(G, K)``."""
    return (counts == counts.sum(0)).any(1)  # (G,)


def _as_folds(places: np.ndarray) -> List[Fold]:
    """Turn the fold of every clip, (N,), into folds."""
    return [
        Fold(np.flatnonzero(places != fold), np.flatnonzero(places == fold))
        for fold in np.unique(places[places != ALWAYS])
    ]


def _divide(counts: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Return the fold of every group, (G,), the best of some tries."""
    rng = np.random.default_rng(seed)
    tries = int(np.clip(WORK // len(counts), 1, TRIES))
    found = [_deal(counts, number, rng) for _ in range(tries)]
    return min(found, key=lambda p: _costs(counts, p, number).sum())


def _deal(
    counts: np.ndarray, number: int, rng: np.random.Generator
) -> np.ndarray:
    """Deal out the groups, large ones first, each where it fits best.

    A fold never gets all clips of a class; a group that would bring the last
    of them to every fold is trained on always.
    """
    shares = _shares(counts)  # (G, K+1)
    sizes = shares.sum(1) * rng.lognormal(0, ROUGHLY, len(shares))  # (G,)
    places = np.full(len(counts), ALWAYS)  # (G,)
    had = np.zeros((number, shares.shape[1]))  # (F, K+1)
    for group in np.argsort(-sizes):
        after = had + shares[group]  # (F, K+1)
        cost = (after**2 - had**2).sum(1)  # (F,)
        cost[(after[:, :-1] > 1 - 1e-9).any(1)] = np.inf
        if np.isfinite(cost).any():
            places[group] = cost.argmin()
            had[places[group]] = after[places[group]]
    return places


def _shares(counts: np.ndarray) -> np.ndarray:
    """Return what groups have of every class and of all clips, (G, K+1)."""
    counts = np.concatenate([counts, counts.sum(1, keepdims=True)], 1)
    return counts / counts.sum(0)  # (G, K+1)


def _costs(counts: np.ndarray, places: np.ndarray, number: int) -> np.ndarray:
    """Measure how far each fold is from its share of every class, (F,)."""
    shares = _shares(counts)  # (G, K+1)
    had = np.stack([shares[places == f].sum(0) for f in range(number)])
    return ((had - 1 / number) ** 2).sum(1)  # (F,)
