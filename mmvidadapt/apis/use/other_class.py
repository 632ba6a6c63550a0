"""Name `other` where no class is sure enough, at a chosen false-alarm rate."""

from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Union

import numpy as np
from mmengine.config import Config

from mmvidadapt.engine.hooks.adapter_checkpoint import beside
from mmvidadapt.engine.metrics.other_class import RATE, find_threshold
from mmvidadapt.weights.adapter_file import is_adapter, read_adapter
from mmvidadapt.weights.adapter_schema import NUMBER, THRESHOLD

from ..fit.intervals import LEVEL, Interval, wilson


class OtherClass(NamedTuple):
    """The number of the class `other`, and the threshold below which it is."""

    number: int
    threshold: float

    def order(self, scores: np.ndarray) -> List[int]:
        """Rank the classes, the one that is named first.

        Args:
            scores (np.ndarray): Probabilities, ``(K,)``.

        Returns:
            List[int]: Numbers of the classes: best first, but for `other`,
            which is the first if no other class has the threshold, and never
            if one has.
        """
        ranked = np.argsort(-np.asarray(scores), kind='stable').tolist()
        known = [number for number in ranked if number != self.number]
        if scores[known[0]] < self.threshold:
            return [self.number, *known]
        ranked.remove(known[0])
        return [known[0], *ranked]


class ChosenThreshold(NamedTuple):
    """A threshold, and what it does: shares with their intervals."""

    threshold: float
    false_alarms: Interval
    found: Optional[Interval]

    def __str__(self) -> str:
        """Describe it in a sentence."""
        found = f', and of {self.found} of the others the right class'
        return (
            f'Threshold {self.threshold:.4f}: of {self.false_alarms} of '
            f'{self.false_alarms.clips} clips of `other` a class is named'
            f'{found if self.found else ""}.'
        )


def choose_threshold(
    scores: np.ndarray,
    labels: np.ndarray,
    other: int,
    false_alarm_rate: float = RATE,
    level: float = LEVEL,
) -> ChosenThreshold:
    """Choose the threshold of the class `other` on validation clips.

    The lowest with no more false alarms among these clips than wanted. What
    it does elsewhere is bounded by Wilson's interval, as if it had not been
    chosen on them: with few clips of `other` the upper bound is far above the
    rate. (No false alarm among 10 clips: up to 28 %.)

    Args:
        scores (np.ndarray): Probabilities of all classes, ``(N, K)``.
        labels (np.ndarray): Numbers of the classes, ``(N,)``.
        other (int): The number of the class `other`.
        false_alarm_rate (float): Share of the clips of `other` for which a
            class may be named. Defaults to 0.05.
        level (float): How often such an interval holds the truth.
            Defaults to 0.95.

    Returns:
        ChosenThreshold: The threshold with the shares of false alarms and of
        clips whose class is named, None without such clips.

    Raises:
        ValueError: Without clips of `other`, or of no share.
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    found = find_threshold(scores, labels, other, false_alarm_rate)
    return ChosenThreshold(
        found.threshold,
        wilson(found.false, found.others, level),
        wilson(found.found, found.known, level) if found.known else None,
    )


def other_of(
    config: Config, meta: Mapping[str, Any], checkpoint: str = ''
) -> Optional[OtherClass]:
    """Find the threshold that belongs to a checkpoint.

    Args:
        config (Config): Config of the run; its ``other_class=dict(number=...,
            threshold=...)`` comes first.
        meta (Mapping[str, Any]): ``meta`` of the checkpoint, which has it
            where that is an adapter file.
        checkpoint (str): Path of the checkpoint; the adapter file beside it
            knows it, too. Defaults to '': there is none.

    Returns:
        OtherClass | None: None where there is no threshold.
    """
    dataset_meta = meta.get('dataset_meta')
    known = dataset_meta if isinstance(dataset_meta, Mapping) else {}
    said = config.get('other_class') or known.get('other_class')
    if said:
        return OtherClass(int(said['number']), float(said['threshold']))
    return stored_threshold(checkpoint) if checkpoint else None


def stored_threshold(checkpoint: Union[str, Path]) -> Optional[OtherClass]:
    """Read the threshold from an adapter file, or the one beside a checkpoint.

    Args:
        checkpoint (str | Path): Either of them.

    Returns:
        OtherClass | None: None where there is no such file or threshold.
    """
    path = str(checkpoint)
    path = path if is_adapter(path) else beside(path)
    if not Path(path).is_file():
        return None
    metrics = read_adapter(path).metrics or {}
    if THRESHOLD not in metrics:
        return None
    return OtherClass(int(metrics[NUMBER]), float(metrics[THRESHOLD]))


def use_threshold(config: Config, checkpoint: str) -> None:
    """Give a test the threshold that belongs to a checkpoint.

    Args:
        config (Config): Config of the test; it is changed.
        checkpoint (str): The checkpoint.
    """
    found = other_of(config, {}, checkpoint)
    metrics = config.get('test_evaluator')
    for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
        if found and metric and metric.get('type') == 'OtherClassMetric':
            metric.setdefault('threshold', found.threshold)
