"""Find groups in the names of files and folders.

``anna_wave.mp4`` and ``anna_jump.mp4``, or ``wave/anna/1.mp4`` and
``jump/anna/1.mp4``, are of one person, or of one day, most likely: the same
part stands in names of several classes.
"""

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from mmvidadapt.datasets.prepare.video_folders import Clip

LEAST = 4  # values of a part, and ...
CROSSED = 0.5  # ... how many of them occur in several classes
DATE = 6  # digits; shorter numbers count the clips
LIKER = 0.1  # cosine by which clips of a group are more alike than others
WORDS = re.compile(
    r'(s|p|g|sub\w*|pers\w*|part\w*|user|actor|signer|group|scene|cam\w*'
    r'|sess\w*|seq\w*|rec\w*|room|place|day|vid\w*)\d+$',
    re.IGNORECASE,
)


class Part(NamedTuple):
    """A part of all paths, ``'part of the name 2'`` say, and its values."""

    where: str
    values: List[str]

    def __str__(self) -> str:
        """Name the place, a value and how many there are."""
        number = len(set(self.values))
        return f"{self.where} ('{self.values[0]}', {number} values)"


class Choice(NamedTuple):
    """Groups by a part of the paths: the part, or those that may be meant."""

    part: Optional[Part]
    others: List[Part]


def find_part(
    clips: Sequence[Clip], alike: Optional[np.ndarray] = None
) -> Choice:
    """Find the part of all paths that names a person, a place or a day.

    Args:
        clips (Sequence[Clip]): The clips.
        alike (np.ndarray, optional): What
            :func:`~mmvidadapt.apis.fit.scenes.similarity` gives, ``(N, N)``;
            decides between parts. Defaults to None.

    Returns:
        Choice: The part, None where there is none or it is not clear which;
        then those that it may be.
    """
    labels = [clip.label for clip in clips]
    parts = [p for p in list_parts(clips) if _may_group(p.values, labels)]
    folders = [part for part in parts if part.where.startswith('folder')]
    for few in (folders, parts):
        best = _choose(few, labels, alike)
        if best is not None:
            return Choice(best, [part for part in few if part is not best])
    inner = Part('folder', [str(PurePosixPath(c.path).parent) for c in clips])
    number = len(set(inner.values))
    if max(LEAST, len(set(labels)) + 1) <= number <= len(clips) / 2:
        return Choice(inner, parts)
    return Choice(None, parts)


def _choose(
    parts: Sequence[Part],
    labels: Sequence[str],
    alike: Optional[np.ndarray],
) -> Optional[Part]:
    """Choose by likeness, else by the usual words, else the only one."""
    if alike is not None and parts:
        gains = [_gain(part.values, labels, alike) for part in parts]
        best = int(np.argmax(gains))
        return parts[best] if gains[best] > LIKER else None
    known = [part for part in parts if all(map(WORDS.match, part.values))]
    for few in (known, parts):
        if len(few) == 1:
            return few[0]
    return None


def _gain(
    values: Sequence[str], labels: Sequence[str], alike: np.ndarray
) -> float:
    """Compare clips with equal values and other classes with the rest."""
    value, label = np.asarray(values), np.asarray(labels)
    other = label[:, None] != label  # (N, N)
    same = (value[:, None] == value) & other
    apart = (value[:, None] != value) & other
    if not same.any() or not apart.any():
        return 0.0
    return float(alike[same].mean() - alike[apart].mean())


def list_parts(clips: Sequence[Clip]) -> List[Part]:
    """List the parts that all paths have, their classes taken out.

    Args:
        clips (Sequence[Clip]): The clips.

    Returns:
        List[Part]: Folders, then parts of file names, from left and right.
    """
    found: Dict[str, List[str]] = defaultdict(list)
    for clip in clips:
        path = PurePosixPath(clip.path)
        folders = [name for name in path.parts[:-1] if name != clip.label]
        words = _words(path.stem, clip.label)
        for kind, names in (('folder', folders), ('part of the name', words)):
            for i, name in enumerate(names):
                found[f'{kind} {i + 1}'].append(name)
                found[f'{kind} {len(names) - i} from the end'].append(name)
    parts: Dict[tuple, Part] = {}
    for where, values in found.items():
        if len(values) == len(clips):
            parts.setdefault(tuple(values), Part(where, values))
    return list(parts.values())


def _words(stem: str, label: str) -> List[str]:
    """Split the name of a file at its signs, the class left out."""
    pieces = filter(None, re.split(r'[\W_]+', label))
    name = r'[\W_]*'.join(map(re.escape, pieces))
    if name:
        sides = r'(?<![A-Za-z0-9]){}(?![A-Za-z0-9])'
        stem = re.sub(sides.format(name), ' ', stem, flags=re.IGNORECASE)
    return [word for word in re.split(r'[\W_]+', stem) if word]


def _may_group(values: Sequence[str], labels: Sequence[str]) -> bool:
    """Check whether values recur, in several classes, and count nothing."""
    seen: Dict[str, set] = defaultdict(set)
    for value, label in zip(values, labels):
        seen[value].add(label)
    several = sum(len(classes) > 1 for classes in seen.values())
    numbers = all(v.isdecimal() and len(v) < DATE for v in seen)
    return (
        len(seen) >= LEAST and several >= CROSSED * len(seen) and not numbers
    )
