"""Own videos as they lie on a disk: class folders, or a list."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import (
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from mmvidadapt.utils.video import EXTENSIONS

from .annotation_lists import read_list

SHOWN = 5  # kinds of files that a note counts
PICTURES = ('.jpg', '.jpeg', '.png', '.bmp')
SPLITS = ('train', 'val', 'test')
SPLIT_NAMES = dict(
    train='train',
    training='train',
    val='val',
    valid='val',
    validation='val',
    test='test',
    testing='test',
)


class Clip(NamedTuple):
    """A video with its label, or a tuple of labels.

    ``group`` is what must not stand on two sides of a split: a person, a
    room, a long recording; ``split`` is given where the source says it.
    """

    path: str  # relative to the root
    label: Union[str, Tuple[str, ...]]
    group: Optional[str] = None
    split: Optional[str] = None

    @property
    def labels(self) -> Tuple[str, ...]:
        """Return the label as a tuple, of one or several."""
        return (self.label,) if isinstance(self.label, str) else self.label


class Source(NamedTuple):
    """Videos below a root; ``classes`` where their order is given.

    ``notes`` say what was seen and is no video, ``frames`` how frames are
    called where every video is a folder of them. Videos have one label;
    with ``several`` any number of labels, with ``tasks`` one for each task,
    which is called after it, ``'verb: cut'``.
    """

    root: Path
    clips: List[Clip]
    classes: Optional[List[str]] = None
    notes: Sequence[str] = ()
    frames: Optional[Tuple[str, int]] = None
    several: bool = False
    tasks: Sequence[str] = ()


def read_folder(root: Path) -> Source:
    """Read a folder of class folders, or of train, val and test with these.

    Args:
        root (Path): The folder. What lies deeper inside a class folder
            belongs to that class.

    Returns:
        Source: The videos.

    Raises:
        ValueError: If a video lies outside the class folders.
    """
    others: List[str] = []
    found = list(walk_videos(root, others))
    if not found:
        raise ValueError(no_video(root, others))
    clips, split = clips_below(root, found)
    notes = _without_videos(root, clips, split) + name_others(others)
    return Source(root, clips, notes=notes)


def clips_below(
    root: Path, paths: Sequence[str], kind: str = 'videos'
) -> Tuple[List[Clip], bool]:
    """Take labels, and splits if there are any, from the folders of videos.

    Args:
        root (Path): The folder.
        paths (Sequence[str]): What lies below it, at least one.
        kind (str): What that is, for the error. Defaults to 'videos'.

    Returns:
        Tuple[List[Clip], bool]: The videos, and whether they are split.

    Raises:
        ValueError: If a video lies outside the class folders.
    """
    parts = [(path, path.split('/')) for path in paths]
    names = {part[0].lower() for _, part in parts}
    split = names <= set(SPLIT_NAMES) and 'train' in names
    depth = 3 if split else 2
    outside = [path for path, part in parts if len(part) < depth]
    if outside:
        raise ValueError(
            f'{len(outside)} {kind} of {root} lie in no class folder, '
            f"such as '{outside[0]}'. Make one folder per class"
            + (' in each of the splits.' if split else '.')
        )
    clips = [
        Clip(
            path,
            part[depth - 2],
            split=SPLIT_NAMES[part[0].lower()] if split else None,
        )
        for path, part in parts
    ]
    return clips, split


def _without_videos(
    root: Path, clips: Sequence[Clip], split: bool
) -> List[str]:
    """Name the class folders where no video was found."""
    folders = root.glob('*/*/' if split else '*/')
    names = {f.name for f in folders if f.is_dir() and f.name[0] != '.'}
    without = sorted(names - {clip.label for clip in clips})
    said = f'No video ({", ".join(EXTENSIONS)}) in: {", ".join(without)}.'
    return [said] if without else []


def no_video(root: Path, others: Sequence[str]) -> str:
    """Format the error for a folder without videos; name what is in it."""
    hint = 'Folders of frames: prepare_data.py frames.'
    pictures = any(name.lower().endswith(PICTURES) for name in others)
    return ' '.join(
        [
            f'There is no video in {root}; known endings: '
            f'{", ".join(EXTENSIONS)}.',
            *name_others(others),
            *[hint] * pictures,
        ]
    )


def name_others(others: Sequence[str], kind: str = 'video') -> List[str]:
    """Count and name the files that were left out of a folder.

    Args:
        others (Sequence[str]): Files whose names end like nothing known.
        kind (str): What was looked for. Defaults to 'video'.

    Returns:
        List[str]: A sentence, or none where there are no such files.
    """
    if not others:
        return []
    kinds = Counter(Path(p).suffix.lower() or 'no ending' for p in others)
    counts = ', '.join(f'{kind}: {n}' for kind, n in kinds.most_common(SHOWN))
    return [
        f'{len(others)} files are left out, since no {kind} is called so '
        f"({counts}), such as '{others[0]}'."
    ]


def walk_videos(
    root: Path,
    others: Optional[List[str]] = None,
    endings: Optional[Tuple[str, ...]] = None,
) -> Iterator[str]:
    """Yield the videos below a folder, links followed, hidden ones left out.

    Args:
        root (Path): The folder.
        others (List[str], optional): Gets the paths of all other files.
            Defaults to None.
        endings (Tuple[str, ...], optional): How their names end.
            Defaults to None: as those of videos do.

    Yields:
        str: A path relative to the folder.
    """
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above it
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith('.'))
        for name in sorted(files):
            if name.startswith('.'):
                continue
            path = Path(folder, name).relative_to(root).as_posix()
            if name.lower().endswith(endings or EXTENSIONS):
                yield path
            elif others is not None:
                others.append(path)


def read_labels(
    path: Path,
    root: Optional[Path] = None,
    classes: Optional[Sequence[str]] = None,
) -> Source:
    """Read a list of mmaction2: a path and the number of a class per line.

    Args:
        path (Path): The list.
        root (Path, optional): The folder that its paths are relative to.
            Defaults to None: that of the list.
        classes (Sequence[str], optional): Names of the classes.
            Defaults to None: their numbers.

    Returns:
        Source: The videos.
    """
    rows = read_list(path)
    highest = max(label for _, label in rows)
    names = list(classes or map(str, range(highest + 1)))
    if min(label for _, label in rows) < 0 or highest >= len(names):
        raise ValueError(
            f'{path} has labels up to {highest}, or none at all, and there '
            f'are {len(names)} classes.'
        )
    clips = [Clip(video, names[label]) for video, label in rows]
    return Source(root or path.parent, clips, names)


def group_by(source: Source, pattern: str) -> Source:
    """Take the groups from the paths.

    Args:
        source (Source): Videos.
        pattern (str): A regular expression, searched in every path; its first
            group, or all that it matches, is the group.

    Returns:
        Source: The videos with their groups.
    """
    try:
        find, groups = re.compile(pattern).search, re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"--group-pattern '{pattern}': {error}.") from error
    clips, without = [], []
    for clip in source.clips:
        match = find(clip.path)
        if match is None or not match.group(groups and 1):
            without.append(clip.path)
        else:
            clips.append(clip._replace(group=match.group(groups and 1)))
    if without:
        raise ValueError(
            f"--group-pattern '{pattern}' matches nothing in {len(without)} "
            f"of {len(source.clips)} paths, such as '{without[0]}'."
        )
    return source._replace(clips=clips)
