"""False alarms: clips of `other` that are taken for one of the classes."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

import numpy as np
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

RATE = 0.05
WHOLE = 1e-2  # how far probabilities may be from 1, all together


class Alarms(NamedTuple):
    """What a threshold does to clips, counted.

    Args:
        threshold (float): The least probability of a class that is named.
        false (int): Clips of `other` for which a class is named.
        others (int): Clips of `other`.
        found (int): Clips of the classes for which the right one is named.
        known (int): Clips of the classes.
    """

    threshold: float
    false: int
    others: int
    found: int
    known: int


def find_threshold(
    scores: np.ndarray,
    labels: np.ndarray,
    other: int,
    false_alarm_rate: float = RATE,
) -> Alarms:
    """Find the lowest threshold with no more false alarms than wanted.

    A clip is of the best class beside `other` if that has at least the
    threshold, and of `other` if not. The threshold lies half-way to the next
    higher score of any clip, or just above all scores.

    Args:
        scores (np.ndarray): Probabilities of all classes, ``(N, K)``.
        labels (np.ndarray): Numbers of the classes, ``(N,)``.
        other (int): The number of the class `other`.
        false_alarm_rate (float): Share of the clips of `other` for which a
            class may be named. Defaults to 0.05.

    Returns:
        Alarms: The threshold, and what it does to these clips.

    Raises:
        ValueError: Without clips of `other`, or of no share.
    """
    if not 0 <= false_alarm_rate < 1:
        raise ValueError(
            f'false_alarm_rate={false_alarm_rate}: give a share from 0 to 1.'
        )
    best = _best_known(scores, other)[1]
    strange = np.sort(best[labels == other])[::-1]  # highest first
    if not len(strange):
        raise ValueError(
            f'None of the {len(labels)} clips is of the class {other}, so no '
            'threshold can be chosen: add clips of it to the validation.'
        )
    # Rates such as 0.29 of 100 clips are not whole numbers in binary.
    allowed = int(np.floor(false_alarm_rate * len(strange) + 1e-9))
    last = strange[allowed]  # the first that is not let through
    higher = best[best > last]
    middle = (last + higher.min()) / 2 if len(higher) else np.inf
    # Neighbours among floats have no middle.
    above = np.nextafter(np.float64(last), np.inf)
    threshold = float(middle if last < middle < np.inf else above)
    return count_alarms(scores, labels, other, threshold)


def count_alarms(
    scores: np.ndarray, labels: np.ndarray, other: int, threshold: float
) -> Alarms:
    """Count what a threshold does to clips.

    Args:
        scores (np.ndarray): Probabilities of all classes, ``(N, K)``.
        labels (np.ndarray): Numbers of the classes, ``(N,)``.
        other (int): The number of the class `other`.
        threshold (float): The least probability of a class that is named.

    Returns:
        Alarms: The counts.
    """
    named, best = _best_known(scores, other)
    taken, strange = best >= threshold, labels == other
    return Alarms(
        float(threshold),
        int((taken & strange).sum()),
        int(strange.sum()),
        int((taken & (named == labels)).sum()),
        int((~strange).sum()),
    )


def _best_known(scores: np.ndarray, other: int) -> tuple:
    """Return the best class beside `other`, and its probability, (N,)."""
    known = np.array(scores, dtype=np.float64)  # (N, K)
    if known.ndim != 2 or not 0 <= other < known.shape[1] >= 2:
        raise ValueError(
            f'Scores of {known.shape} and the class {other} as `other`: give '
            '(clips, classes), two classes at least, and the number of one.'
        )
    known[:, other] = -np.inf
    return known.argmax(axis=1), known.max(axis=1)


@METRICS.register_module()
class OtherClassMetric(BaseMetric):
    """False alarms of a recognizer with a class `other`.

    In validation it chooses the threshold, see :func:`find_threshold`, which
    the adapter file of these very weights keeps among its metrics, so that
    whoever classifies with the file names `other` below it. In a test it is
    given: ``tools/test.py`` takes it from the adapter file that is tested, or
    lies beside the checkpoint.

    Metrics: ``other/threshold``, ``other/class`` (its number),
    ``other/false_alarms`` (share of the clips of `other` that are taken for
    a class), ``other/found`` (share of the others whose class is named),
    ``other/clips`` (how many of `other` there are).

    Args:
        other (int | str): Number or name of the class. Defaults to 'other'.
        false_alarm_rate (float): Share of the clips of `other` for which a
            class may be named. Defaults to 0.05.
        choose (bool): Whether the threshold is chosen where none is given.
            Defaults to True.
        threshold (float, optional): The threshold. Defaults to None.
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`.
            Defaults to 'cpu'.
    """

    default_prefix = 'other'

    def __init__(
        self,
        other: Union[int, str] = 'other',
        false_alarm_rate: float = RATE,
        choose: bool = True,
        threshold: Optional[float] = None,
        collect_device: str = 'cpu',
    ) -> None:
        super().__init__(collect_device=collect_device)
        self.other, self.false_alarm_rate = other, false_alarm_rate
        self.choose, self.threshold = choose, threshold

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch.

        Args:
            data_batch (Any): Unused.
            data_samples (Sequence[dict]): Samples with predictions.

        Raises:
            ValueError: If clips have no single label, or scores are no
                probabilities.
        """
        for sample in data_samples:
            scores, label = sample['pred_score'], sample['gt_label']
            if isinstance(scores, dict) or len(label) != 1:
                raise ValueError(
                    'OtherClassMetric is for clips of one label; leave it out.'
                )
            scores = scores.float().cpu().numpy()
            if scores.ndim != 1 or abs(scores.sum() - 1) > WHOLE:
                raise ValueError(
                    'OtherClassMetric compares probabilities of classes with '
                    'a threshold, and got scores that are none: set '
                    "cls_head.average_clips='prob'."
                )
            self.results.append((scores, int(label)))

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Choose the threshold, or apply it.

        Args:
            results (List[tuple]): Scores and labels.

        Returns:
            Dict[str, float]: The metrics; none where there is no threshold.
        """
        scores, labels = map(np.array, zip(*results))  # (N, K), (N,)
        other = self._number()
        if self.threshold is not None:
            found = count_alarms(scores, labels, other, self.threshold)
        elif not self.choose or other not in labels:
            reason = 'none is given' if not self.choose else 'no clip is of it'
            print_log(
                f'There is no threshold for the class {self.other!r}: '
                f'{reason}.',
                logger='current',
            )
            return {}
        else:
            rate = self.false_alarm_rate
            found = find_threshold(scores, labels, other, rate)
        return {
            'threshold': found.threshold,
            'class': other,
            'false_alarms': found.false / max(1, found.others),
            'found': found.found / max(1, found.known),
            'clips': found.others,
        }

    def _number(self) -> int:
        """Return the number of the class."""
        if isinstance(self.other, int):
            return self.other
        names = list((self.dataset_meta or {}).get('classes') or ())
        if self.other not in names:
            raise ValueError(
                f'OtherClassMetric(other={self.other!r}): the data set names '
                f'the classes {names[:5]}; give the number of the class.'
            )
        return names.index(self.other)
