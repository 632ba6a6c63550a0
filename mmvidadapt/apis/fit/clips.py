"""Find what can be classified among own videos, and say what was found."""

from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from mmvidadapt.datasets.prepare.annotation_lists import read_text
from mmvidadapt.datasets.prepare.check_videos import (
    check_videos,
    drop_duplicates,
)
from mmvidadapt.datasets.prepare.csv_table import read_csv, read_header
from mmvidadapt.datasets.prepare.own_videos import OwnData, in_order
from mmvidadapt.datasets.prepare.video_facts import VideoFacts
from mmvidadapt.datasets.prepare.video_folders import (
    Clip,
    Source,
    read_folder,
    read_labels,
)
from mmvidadapt.utils.video import EXTENSIONS

from .sentences import (
    describe_clips,
    describe_counts,
    describe_lost,
    describe_rejected,
    describe_sizes,
)

TABLES = ('.csv', '.tsv')
CLASSES = 'classes.txt'  # beside a list, as prepare_data.py writes it


class Found(NamedTuple):
    """Clips that can be classified, and what was found on the way."""

    root: Path
    clips: List[Clip]
    classes: List[str]
    facts: Dict[str, VideoFacts]
    rejected: List[Tuple[str, str]]
    sentences: List[str]

    def own_data(self, splits: Dict[str, List[Clip]]) -> OwnData:
        """Return what lists, reports and configs of own videos are made of."""
        known = (self.classes, splits, self.facts, self.rejected)
        return OwnData(self.root, *known)


def read_source(
    videos: Path,
    root: Optional[Path] = None,
    columns: Optional[Dict[str, Optional[str]]] = None,
) -> Source:
    """Read a folder of class folders, a table or a list, whichever it is.

    Args:
        videos (Path): A folder, a table (``.csv``, ``.tsv``) with the columns
            file and label, or a list of lines with a path and a label.
        root (Path, optional): The folder that paths are relative to.
            Defaults to None: that of the file.
        columns (Dict[str, str], optional): Names of columns, see
            :func:`~mmvidadapt.datasets.prepare.csv_table.read_csv`.
            Defaults to None.

    Returns:
        Source: The videos.

    Raises:
        ValueError: If there is no such file, or nothing in it is understood.
    """
    if videos.is_dir():
        return read_folder(videos)
    if not videos.exists():
        raise ValueError(
            f'There is no {videos}; give a folder of class folders, a table '
            '(.csv) with the columns file and label, or a list of lines with '
            'a path and a label.'
        )
    if videos.suffix.lower() in EXTENSIONS:
        raise ValueError(
            f'{videos} is one video; give the folder of class folders that '
            'it lies in.'
        )
    if videos.suffix.lower() in TABLES or _has_header(videos):
        return read_csv(videos, root, columns)
    return _read_list(videos, root)


def _has_header(path: Path) -> bool:
    """Check whether a file begins like a table, whatever it is called."""
    names = [name.lower() for name in read_header(path)]
    return 'label' in names and len(names) > 1


def _read_list(path: Path, root: Optional[Path]) -> Source:
    """Read lines with a path and the number, or the name, of a class."""
    lines = [line.strip() for line in read_text(path).split('\n')]
    sign = '\t' if any('\t' in line for line in lines) else ' '
    rows = [line.rpartition(sign) for line in lines if line]
    if all(label.lstrip('-').isdecimal() for _, _, label in rows):
        names = path.with_name(CLASSES)
        classes = read_text(names).splitlines() if names.is_file() else None
        return read_labels(path, root, classes)
    bare = [
        label
        for name, _, label in rows
        if not name or label.lower().endswith(EXTENSIONS)
    ]
    if bare:
        raise ValueError(
            f"{path} has {len(bare)} lines without a label, such as '"
            f"{bare[0]}'; write a path and a label in every line."
        )
    clips = [Clip(name.strip(), label) for name, _, label in rows]
    return Source(root or path.parent, clips)


def check_source(
    source: Source,
    level: str = 'decode',
    num_workers: Optional[int] = None,
    ledger: Optional[Path] = None,
) -> Found:
    """Leave out videos that cannot be used and those that are there twice.

    Args:
        source (Source): The videos.
        level (str): How closely they are looked at, see
            :func:`~mmvidadapt.datasets.prepare.check_videos.check_video`.
            Defaults to 'decode'.
        num_workers (int, optional): Processes; None: one per core.
            Defaults to None.
        ledger (Path, optional): File in which good videos are noted, so that
            a run that was cut off goes on. Defaults to None.

    Returns:
        Found: What is left, with sentences about it.

    Raises:
        ValueError: If less than two classes are left, or no class has two
            clips.
    """
    paths = list(dict.fromkeys(clip.path for clip in source.clips))
    facts, bad = check_videos(
        source.root, paths, level, num_workers, ledger, source.frames
    )
    good = [clip for clip in source.clips if clip.path in facts]
    good, same = drop_duplicates(good, facts)
    rejected = sorted([*bad.items(), *same])
    counts = Counter(clip.label for clip in good)
    order = source.classes or in_order({clip.label for clip in source.clips})
    classes = [name for name in order if counts[name]]
    lost = describe_lost(source.clips, counts, dict(rejected))
    _require_classes(source.root, good, classes, lost, rejected)
    facts = {clip.path: facts[clip.path] for clip in good}
    sentences = [
        describe_clips(source.root, counts, classes),
        *describe_sizes(facts),
        *source.notes,
        *describe_rejected(rejected),
        *lost,
        *describe_counts(counts, classes),
    ]
    return Found(source.root, good, classes, facts, rejected, sentences)


def _require_classes(
    root: Path,
    good: Sequence[Clip],
    classes: Sequence[str],
    lost: Sequence[str],
    rejected: Sequence[Tuple[str, str]],
) -> None:
    """Raise where there is nothing to tell apart, or nothing to test on."""
    why = ''.join(f' {sentence}' for sentence in lost)
    if not good:
        path, reason = rejected[0]
        raise ValueError(
            f'None of the {len(rejected)} videos below {root} can be used, '
            f'such as {path}: {reason} Mend the files, or say with --root '
            'what their paths are relative to.'
        )
    if len(classes) < 2:
        raise ValueError(
            f'All {len(good)} videos below {root} that can be used are of '
            f"one class, '{classes[0]}'; there is nothing to tell apart."
            f'{why} Add clips of a second class: of what else happens before '
            "the camera, called 'other', say."
        )
    if len(good) == len(classes):
        raise ValueError(
            f'Each of the {len(classes)} classes below {root} has one clip: '
            f'what is trained on it cannot be tested on another.{why} Add a '
            'clip of each class at least, of another day, place or person; '
            'ten of each are a start.'
        )
