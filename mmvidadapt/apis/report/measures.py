"""Count what a recognizer gets right: by class, by pair, by surety."""

from typing import List, NamedTuple, Tuple

import numpy as np


class ClassFigures(NamedTuple):
    """Precision and recall of every class, each (K,); nan without clips."""

    precision: np.ndarray
    recall: np.ndarray
    counts: np.ndarray  # clips with this label
    predicted: np.ndarray  # clips that were taken for it


class Flip(NamedTuple):
    """A class whose reversed clips are mostly taken for another."""

    label: int
    other: int
    share: float


def confusion_matrix(
    labels: np.ndarray, predicted: np.ndarray, num_classes: int
) -> np.ndarray:
    """Count clips by label and prediction, int (K, K)."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)  # (K, K)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def class_figures(matrix: np.ndarray) -> ClassFigures:
    """Compute precision and recall from a confusion matrix (K, K)."""
    counts, predicted = matrix.sum(1), matrix.sum(0)
    hits = matrix.diagonal().astype(float)
    with np.errstate(invalid='ignore', divide='ignore'):
        return ClassFigures(hits / predicted, hits / counts, counts, predicted)


def confused_pairs(matrix: np.ndarray) -> List[Tuple[int, int, int]]:
    """List (label, prediction, clips) of what is confused, most first."""
    wrong = matrix - np.diag(matrix.diagonal())
    pairs = [(int(a), int(b), int(wrong[a, b])) for a, b in np.argwhere(wrong)]
    return sorted(pairs, key=lambda pair: -pair[2])


def surest_mistakes(
    scores: np.ndarray, labels: np.ndarray, predicted: np.ndarray
) -> List[int]:
    """List the wrong clips, those first where the label seems worst.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        labels (np.ndarray): Numbers of classes ``(N,)``.
        predicted (np.ndarray): Those that are named, ``(N,)``.

    Returns:
        List[int]: Numbers of clips, ordered by the score of the predicted
        class minus that of the label.
    """
    rows = np.arange(len(labels))
    margin = scores[rows, predicted] - scores[rows, labels]  # (N,)
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-margin[wrong], kind='stable')].tolist()


def flips(labels: np.ndarray, predicted: np.ndarray) -> List[Flip]:
    """Find the classes most of whose clips get one other label.

    Args:
        labels (np.ndarray): Numbers of classes ``(N,)``.
        predicted (np.ndarray): Those of the reversed clips, ``(N,)``.

    Returns:
        List[Flip]: The largest share first.
    """
    found = []
    for label in np.unique(labels):
        seen = predicted[labels == label]
        other = int(np.bincount(seen).argmax())
        share = float((seen == other).mean())
        if other != label and share > 0.5:
            found.append(Flip(int(label), other, share))
    return sorted(found, key=lambda flip: -flip.share)


def surest_of_classes(
    scores: np.ndarray, labels: np.ndarray, predicted: np.ndarray
) -> List[int]:
    """List for every class the right clip with the highest score.

    Args:
        scores (np.ndarray): Probabilities ``(N, K)``.
        labels (np.ndarray): Numbers of classes ``(N,)``.
        predicted (np.ndarray): Those that are named, ``(N,)``.

    Returns:
        List[int]: Numbers of clips.
    """
    right = predicted == labels
    found = []
    for label in range(scores.shape[1]):
        own = np.flatnonzero(right & (labels == label))
        if len(own):
            found.append(int(own[scores[own, label].argmax()]))
    return found
