"""Hold what a report shows: scores of clips, and what else is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import (
    Any,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from ..use.other_class import OtherClass

SURE = 1e-3  # how far scores may be from adding up to 1


class Curve(NamedTuple):
    """Values of a quantity over the steps of a training."""

    name: str  # such as 'loss'
    points: Sequence[Tuple[float, float]]  # (step, value)


class Looked(NamedTuple):
    """Where a recognizer looked in one clip."""

    clip: int  # its number in the report
    frames: np.ndarray  # RGB as the model saw them, uint8 (T, H, W, 3)
    maps: np.ndarray  # evidence for the predicted class, (T, h, w), >= 0


@dataclass
class Report:
    """What is known of a test, as :func:`~.page.write_report` shows it.

    Only clips, classes and scores are needed; a section without its content
    is left out.

    Args:
        clips (Sequence[Any]): The N clips that were tested, each with
            ``path``, ``label`` (the name of a class) and ``group`` (what may
            not stand on two sides of a split, or None).
        classes (Sequence[str]): Names of the K classes.
        scores (np.ndarray): Probabilities, ``(N, K)``; every row adds up
            to 1.
        title (str): Heading. Defaults to 'Test report'.
        root (str | Path): What paths of clips are relative to.
            Defaults to ''.
        split (Sequence[str]): Sentences that say how the clips were split.
            Defaults to ().
        orders (Dict[str, np.ndarray], optional): Scores ``(N, K)`` of
            the same clips with other frames: ``'shuffled'``, ``'reversed'``,
            ``'single frame'``. Defaults to None: they were not tested.
        calibration (Tuple[Sequence[str], np.ndarray], optional): Labels and
            scores of other clips, to fit the temperature on. Defaults to
            None: it is fitted on tested clips, cross-wise.
        looked (Sequence[Looked]): Where the model looked. Defaults to ().
        curves (Sequence[Curve]): Of the training. Defaults to ().
        counts (Dict[str, Mapping[str, int]], optional): Clips of every
            class by the name of a split. Defaults to None: those that were
            tested.
        facts (Mapping[str, Any], optional): By path of a video, something
            with ``frames``, ``width`` and ``height``. Defaults to None:
            nothing is known.
        left_out (Sequence[Tuple[str, str]]): Files that were not used, and
            why. Defaults to ().
        notes (Sequence[str]): Sentences for the top of the page: what would
            help most, warnings. Defaults to ().
        commands (Sequence[str]): What makes it again. Defaults to ().
        other (OtherClass, optional): Class that is named where no other one
            has the threshold. Defaults to None: the best score decides.

    Raises:
        ValueError: If the parts do not fit each other.
    """

    clips: Sequence[Any]
    classes: Sequence[str]
    scores: np.ndarray
    title: str = 'Test report'
    root: Union[str, Path] = ''
    split: Sequence[str] = ()
    orders: Optional[Dict[str, np.ndarray]] = None
    calibration: Optional[Tuple[Sequence[str], np.ndarray]] = None
    looked: Sequence[Looked] = ()
    curves: Sequence[Curve] = ()
    counts: Optional[Dict[str, Mapping[str, int]]] = None
    facts: Optional[Mapping[str, Any]] = None
    left_out: Sequence[Tuple[str, str]] = ()
    notes: Sequence[str] = ()
    commands: Sequence[str] = ()
    other: Optional[OtherClass] = None

    def __post_init__(self) -> None:
        """Check that the parts fit, and number the labels."""
        if not len(self.clips) or not len(self.classes):
            raise ValueError(
                f'A report of {len(self.clips)} clips and '
                f'{len(self.classes)} classes: give at least one of each.'
            )
        self.scores = self._checked('scores', self.scores, len(self.clips))
        self.orders = {
            name: self._checked(f'orders[{name!r}]', s, len(self.clips))
            for name, s in (self.orders or {}).items()
        }
        self.labels = self.numbers([clip.label for clip in self.clips])
        if self.calibration is not None:
            labels, scores = self.calibration
            scores = self._checked('calibration', scores, len(labels))
            self.calibration = self.numbers(labels), scores

    def _checked(self, name: str, scores: Any, number: int) -> np.ndarray:
        """Return scores as an array (number, K) of probabilities."""
        scores = np.asarray(scores, dtype=np.float64)
        wanted = (number, len(self.classes))
        if scores.shape != wanted:
            raise ValueError(
                f'{name} has the shape {scores.shape}; {wanted[0]} clips and '
                f'{wanted[1]} classes need {wanted}.'
            )
        sums = scores.sum(1)  # (N,)
        if (
            not np.isfinite(scores).all()
            or (scores < 0).any()
            or (np.abs(sums - 1) > SURE).any()
        ):
            raise ValueError(
                f'{name} are no probabilities: rows add up to '
                f'{sums.min():.3g} to {sums.max():.3g}, and 1 is needed. '
                "Give what a head with average_clips='prob' predicts."
            )
        return scores

    def numbers(self, labels: Sequence[str]) -> np.ndarray:
        """Return the numbers of classes of labels, (N,)."""
        known = {str(name): i for i, name in enumerate(self.classes)}
        lost = sorted({str(label) for label in labels} - set(known))
        if lost:
            raise ValueError(
                f'No class is called {lost[0]!r}; the classes are '
                f'{list(known)[:10]}{" ..." if len(known) > 10 else ""}.'
            )
        return np.array([known[str(label)] for label in labels])

    def predict(self, scores: np.ndarray) -> np.ndarray:
        """Return the numbers of the classes that scores (N, K) name, (N,)."""
        if self.other is None:
            return scores.argmax(1)
        return np.array([self.other.order(row)[0] for row in scores])

    @property
    def predicted(self) -> np.ndarray:
        """Number of the class that is named of each clip, (N,)."""
        return self.predict(self.scores)

    @property
    def right(self) -> np.ndarray:
        """Whether the prediction is the label, bool (N,)."""
        return self.predicted == self.labels

    @property
    def groups(self) -> List[Any]:
        """Group of every clip; a clip without one is a group of its own."""
        found = [getattr(clip, 'group', None) for clip in self.clips]
        return [i if g in (None, '') else str(g) for i, g in enumerate(found)]

    @property
    def grouped(self) -> bool:
        """Whether any group has more than one clip."""
        return len(set(self.groups)) < len(self.clips)

    def path(self, clip: int) -> str:
        """Return the file of a clip."""
        return str(Path(self.root, str(self.clips[clip].path)))
