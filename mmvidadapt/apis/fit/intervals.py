"""Bound the accuracy on clips, people and places that were not measured.

Clips of one group (a person, a place, a recording) are right or wrong
together. The interval of Wilson, which takes every clip for a witness of its
own, is then too narrow; :func:`grouped_interval` counts groups.
"""

from statistics import NormalDist
from typing import Hashable, NamedTuple, Optional, Sequence, Union

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
# Clips of a group are taken to be alike at least so much: with few groups the
# likeness that is measured is often zero by chance.
LEAST_LIKENESS = 0.05


class Interval(NamedTuple):
    """A share with the bounds of what it may be elsewhere."""

    value: float
    low: float
    high: float
    clips: int = 0
    groups: int = 0

    def __str__(self) -> str:
        """Return percents, such as ``88.0 % (79.4 to 93.5 %)``."""
        low, high = 100 * self.low, 100 * self.high
        return f'{100 * self.value:.1f} % ({low:.1f} to {high:.1f} %)'


class Spread(NamedTuple):
    """Mean and standard deviation of a value over folds or seeds."""

    mean: float
    std: float
    low: float
    high: float
    number: int


def wilson(
    right: float, number: float, level: float = LEVEL, score: float = 0.0
) -> Interval:
    """Bound a share of independent trials.

    Source: E. B. Wilson, `Probable inference, the law of succession, and
    statistical inference <https://doi.org/10.1080/01621459.1927.10502953>`_.

    Args:
        right (float): How many were right; a fraction where several runs are
            averaged.
        number (float): How many there were.
        level (float): How often such an interval holds the truth.
            Defaults to 0.95.
        score (float): Quantile in place of the normal one that belongs to
            ``level``. Defaults to 0.0: none.

    Returns:
        Interval: The share with its bounds.

    Raises:
        ValueError: If there were none, or more right than there were.
    """
    if number <= 0 or not 0 <= right <= number * (1 + 1e-9):
        raise ValueError(
            f'{right} right of {number}: give at least one trial, and at '
            'most as many right ones.'
        )
    z = score or NormalDist().inv_cdf((1 + level) / 2)
    share = min(right / number, 1.0)
    spread = z * np.sqrt(share * (1 - share) / number + (z / number / 2) ** 2)
    middle, scale = share + z * z / number / 2, 1 + z * z / number
    low = max((middle - spread) / scale, 0.0)
    high = min((middle + spread) / scale, 1.0)
    return Interval(share, float(low), float(high), int(round(number)))


def grouped_interval(
    right: Sequence[float],
    groups: Sequence[Optional[Hashable]],
    level: float = LEVEL,
) -> Interval:
    """Bound the accuracy on groups that were not measured.

    The jackknife, which leaves out one group at a time, says how many
    independent clips the measured ones are worth (at most what a likeness of
    0.05 within groups makes of their sizes). With that many, and the quantile
    of Student's t for the number of groups in place of the normal one, the
    bounds are those of Wilson: they stay within 0 and 1, and are apart where
    all clips are right. Nothing is drawn at random. How often they hold the
    truth is measured in docs/own_videos.md.

    Source: E. L. Korn and B. I. Graubard, Confidence intervals for
    proportions with small expected number of positive counts estimated from
    survey data, Survey Methodology 24 (1998).

    Args:
        right (Sequence[float]): 1 for every clip that is right, 0 for the
            others, ``(N,)``; means where a clip was tested several times.
        groups (Sequence[Hashable | None]): The group of every clip, ``(N,)``;
            a clip without one (None or '') is a group of its own.
        level (float): How often such an interval holds the truth.
            Defaults to 0.95.

    Returns:
        Interval: The accuracy with its bounds; 0 to 1 for a single group.

    Raises:
        ValueError: If there is no clip, or as many groups as clips are not
            given.
    """
    values = np.asarray(right, dtype=np.float64)  # (N,)
    if len(values) == 0 or len(values) != len(groups):
        raise ValueError(
            f'{len(values)} results and {len(groups)} groups: give one group '
            'for every clip, and at least one clip.'
        )
    index = number_groups(groups)  # (N,)
    sizes = np.bincount(index).astype(np.float64)  # (G,)
    number, count = len(sizes), len(values)
    accuracy = float(values.mean())
    if number == 1:
        return Interval(accuracy, 0.0, 1.0, count, 1)
    others = (values.sum() - np.bincount(index, values)) / (count - sizes)
    between = (1 - 1 / number) * np.square(others - accuracy).sum()
    alone = accuracy * (1 - accuracy) / count
    typical = np.square(sizes).sum() / count  # size of a clip's group
    effect = 1 + (typical - 1) * LEAST_LIKENESS
    if alone > 0:
        effect = max(effect, between / alone)
    worth = count / effect
    quantile = float(stdtrit(number - 1, (1 + level) / 2))
    found = wilson(accuracy * worth, worth, level, quantile)
    return Interval(accuracy, found.low, found.high, count, number)


def number_groups(groups: Sequence[Optional[Hashable]]) -> np.ndarray:
    """Number groups by their first clips; clips without one have their own.

    Args:
        groups (Sequence[Hashable | None]): The group of every clip, ``(N,)``.

    Returns:
        np.ndarray: Numbers from 0, ``(N,)``.
    """
    numbers: dict = {}
    return np.array(
        [
            numbers.setdefault(
                ('alone', i) if group in (None, '') else ('group', group),
                len(numbers),
            )
            for i, group in enumerate(groups)
        ],
        dtype=np.int64,
    )


def spread(values: Union[Sequence[float], np.ndarray]) -> Spread:
    """Measure how a value differs over folds or seeds.

    Folds share their training clips: the spread over them is no interval, see
    :func:`grouped_interval`.

    Args:
        values (Sequence[float] | np.ndarray): One value a fold or seed.

    Returns:
        Spread: Mean, standard deviation (0 for one value), lowest, highest.
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if not len(array):
        raise ValueError('There is no value; run at least one fold.')
    std = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    low, high = float(array.min()), float(array.max())
    return Spread(float(array.mean()), std, low, high, len(array))
