"""Compare scores with accuracy: reliability, ECE, temperature."""

from typing import Any, NamedTuple, Sequence

import numpy as np

BINS, FOLDS = 10, 5
COLDEST, HOTTEST, STEPS = 0.05, 20.0, 80
GOLDEN = (5**0.5 - 1) / 2
TINY = 1e-15  # what underflows is no surer than this


class Reliability(NamedTuple):
    """Clips by the score of their prediction, each (BINS,); nan if none."""

    confidence: np.ndarray  # mean score
    accuracy: np.ndarray
    counts: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error: mean gap, weighed by clips."""
        gap = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gap * self.counts) / self.counts.sum())


def reliability(scores: np.ndarray, labels: np.ndarray) -> Reliability:
    """Sort clips into bins by the score of their prediction.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        labels (np.ndarray): Numbers of classes ``(N,)``.

    Returns:
        Reliability: Of ten bins of equal width, from 0 to 1.
    """
    sure = scores.max(1)  # (N,)
    right = scores.argmax(1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)  # (N,)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid='ignore'):
        return Reliability(
            np.bincount(bins, sure, BINS) / counts,
            np.bincount(bins, right, BINS) / counts,
            counts,
        )


def tempered(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the logarithms of scores (N, K) by a temperature."""
    logits = np.log(np.maximum(scores, TINY)) / temperature  # (N, K)
    powers = np.exp(logits - logits.max(1, keepdims=True))  # (N, K)
    return powers / powers.sum(1, keepdims=True)


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Fit the temperature of a softmax to the labels of other clips.

    From `On Calibration of Modern Neural Networks
    <https://arxiv.org/abs/1706.04599>`_: the one of the highest likelihood,
    which is convex in its inverse, found by golden sections.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        labels (np.ndarray): Numbers of classes ``(N,)``.

    Returns:
        float: 0.05 to 20; above 1 where the model was too sure.
    """
    rows = np.arange(len(labels))

    def loss(log_t: float) -> float:
        own = tempered(scores, float(np.exp(log_t)))[rows, labels]
        return float(-np.log(np.maximum(own, TINY)).mean())

    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(STEPS):
        left = high - GOLDEN * (high - low)
        right = low + GOLDEN * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def cross_tempered(
    scores: np.ndarray, labels: np.ndarray, groups: Sequence[Any]
) -> np.ndarray:
    """Apply to clips of every fold the temperature fitted on the others.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        labels (np.ndarray): Numbers of classes ``(N,)``.
        groups (Sequence[Any]): Clips of one group are in one fold.

    Returns:
        np.ndarray: ``(N, K)``; as they were where there is one group.
    """
    names = sorted(set(groups), key=str)
    folds = np.array([names.index(group) % FOLDS for group in groups])
    result = scores.copy()
    for fold in np.unique(folds):
        held = folds == fold
        if not held.all():
            t = fit_temperature(scores[~held], labels[~held])
            result[held] = tempered(scores[held], t)
    return result
