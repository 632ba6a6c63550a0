"""Put clips into groups that are never on two sides of a split.

By a regular expression over the paths, by columns of a table, or found: by
parts of the names (``path_groups``), by what the clips look like (``scenes``).
"""

from collections import Counter
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mmvidadapt.datasets.prepare.csv_table import read_csv, read_header
from mmvidadapt.datasets.prepare.video_folders import Clip, Source, group_by

from .folds import alone, count_groups
from .path_groups import find_part
from .scenes import find_scenes, similarity, warn_of_likeness

# What a column of groups is called where nobody says it.
COLUMNS = (
    *('group', 'subject', 'person', 'actor', 'participant', 'performer'),
    *('signer', 'user', 'scene', 'place', 'location', 'room', 'camera'),
    *('session', 'recording', 'sequence'),
)
APART = 'they are never on two sides of a split'
OTHERWISE = 'where you know better, give --group-pattern or --group-column'


def given_groups(
    source: Source,
    videos: Path,
    pattern: Optional[str] = None,
    columns: Sequence[str] = (),
    names: Optional[Dict[str, Optional[str]]] = None,
) -> Tuple[Source, List[str]]:
    """Take the groups from the paths, or from columns of the table.

    Args:
        source (Source): The videos.
        videos (Path): Where they were read from.
        pattern (str, optional): A regular expression, see
            :func:`~mmvidadapt.datasets.prepare.video_folders.group_by`.
            Defaults to None.
        columns (Sequence[str]): Columns; clips that agree in any of them are
            one group. Defaults to (): those with usual names, where ``videos``
            is a table.
        names (Dict[str, str], optional): How the columns ``path`` and
            ``label`` are called. Defaults to None.

    Returns:
        Tuple[Source, List[str]]: The videos, with groups where there are any,
        and sentences about them.

    Raises:
        ValueError: If all clips are of one group, or there is no such column.
    """
    if pattern is not None and columns:
        raise ValueError(
            f"--group-pattern '{pattern}' and --group-column "
            f'{" ".join(columns)}: give one of them.'
        )
    if pattern is not None:
        source = group_by(source, pattern)
        by = f"--group-pattern '{pattern}'"
    elif columns:
        source = _by_columns(source, videos, columns, names)
        by = f'--group-column {" ".join(columns)}'
    else:
        return _by_usual_columns(source, videos, names)
    if len({clip.group for clip in source.clips}) < 2:
        raise ValueError(
            f'{by}: all {len(source.clips)} clips are of one group, '
            f"'{source.clips[0].group}'; there is nothing to divide. Choose "
            'fewer columns, or another pattern.'
        )
    return source, [describe_groups(source.clips, by)]


def _by_usual_columns(
    source: Source, videos: Path, names: Optional[Dict[str, Optional[str]]]
) -> Tuple[Source, List[str]]:
    """Take the groups from all columns with usual names, or from the first."""
    if videos.is_dir():
        return source, []
    header = {name.lower(): name for name in read_header(videos)}
    known = [header[name] for name in COLUMNS if name in header]
    for columns in (known, known[:1]):
        if not columns:
            continue
        found = _by_columns(source, videos, columns, names)
        if len({clip.group for clip in found.clips}) > 1:
            by = f'the columns {", ".join(columns)}'
            by = by if len(columns) > 1 else f'the column {columns[0]}'
            said = [describe_groups(found.clips, by)]
            if len(columns) < len(known):
                said.append(
                    f'Clips with one {" or ".join(known[1:])} are on both '
                    f'sides, since with {", ".join(known)} together all clips '
                    'would be one group; --group-column chooses.'
                )
            return found, said
    return source, []


def _by_columns(
    source: Source,
    videos: Path,
    columns: Sequence[str],
    names: Optional[Dict[str, Optional[str]]],
) -> Source:
    """Join the clips that agree in any column."""
    values = []
    for column in columns:
        known = dict(names or {}, group=column)
        table = read_csv(videos, source.root, known).clips
        values.append([clip.group or '' for clip in table])
    return source._replace(
        clips=[
            clip._replace(group=group)
            for clip, group in zip(source.clips, join_groups(*values))
        ]
    )


def join_groups(*values: Sequence[str]) -> List[Optional[str]]:
    """Join what has one value in any of several lists, by chains.

    Args:
        *values (Sequence[str]): Lists of one value a clip; '' is none.

    Returns:
        List[str | None]: The group of every clip, called after the values of
        its first one; None where a clip has no value.
    """
    rows, nodes = [], {}
    for place, column in enumerate(values):
        for row, value in enumerate(column):
            if value:
                rows.append(
                    (row, nodes.setdefault((place, value), len(nodes)))
                )
    number = len(values[0])
    edges = np.array(rows, dtype=np.int64).reshape(-1, 2)  # (E, 2)
    ends = (edges[:, 0], number + edges[:, 1])
    size = number + len(nodes)
    graph = coo_array((np.ones(len(edges)), ends), shape=(size, size))
    found = connected_components(graph, directed=False)[1][:number]
    called: Dict[int, str] = {}
    for group, row in zip(found, zip(*values)):
        called.setdefault(int(group), ', '.join(filter(None, row)))
    return [called[int(group)] or None for group in found]


def find_groups(
    clips: Sequence[Clip], features: Optional[np.ndarray] = None
) -> Tuple[List[Clip], List[str]]:
    """Find groups where none are given, and warn of those that look alike.

    Args:
        clips (Sequence[Clip]): The clips.
        features (np.ndarray, optional): Features of a trunk, see
            :func:`~mmvidadapt.apis.fit.scenes.similarity`. Defaults to None:
            only names are looked at.

    Returns:
        Tuple[List[Clip], List[str]]: The clips with their groups, and
        sentences about them.
    """
    clips = list(clips)
    alike = None if features is None else similarity(features)
    if any(clip.group for clip in clips):
        return clips, [] if alike is None else warn_of_likeness(clips, alike)
    part, others = find_part(clips, alike)
    if part is not None:
        by = f'their paths: {part}'
        named, said = _regroup(clips, part.values, by)
        if named and alike is not None:
            said += warn_of_likeness(named, alike)
    elif alike is not None:
        by = 'what they look like'
        named, said = _regroup(clips, find_scenes(alike), by)
    else:
        named, said = None, []
    if others:
        maybe = '; '.join(map(str, others))
        said.append(f'Parts of the paths that could be groups, too: {maybe}.')
    if named is None and not said:
        said.append('There are no groups: clips of one recording may be on '
                    f'both sides of a split; {OTHERWISE}.')  # fmt: skip
    return named or clips, said


def _regroup(
    clips: Sequence[Clip], groups: Sequence[str], by: str
) -> Tuple[Optional[List[Clip]], List[str]]:
    """Set groups that were found, if clips can be divided by them."""
    named = [c._replace(group=group) for c, group in zip(clips, groups)]
    if len(set(groups)) == len(clips):
        return named, [
            f'No two clips are of one recording, by {by}; every clip is a '
            f'group of its own. {OTHERWISE.capitalize()}.'
        ]
    if alone(count_groups(named)[1]).all():
        return None, [
            f'Each of the {len(set(groups))} groups by {by} holds all clips '
            'of a class: whether a model knows the action or the place '
            'cannot be measured. Clips are divided without groups; film '
            'every class in two places at least.'
        ]
    return named, [f'{describe_groups(named, by)[:-1]}; {OTHERWISE}.']


def describe_groups(clips: Sequence[Clip], by: str) -> str:
    """Count groups, and clips in the smallest and the largest.

    Args:
        clips (Sequence[Clip]): The clips.
        by (str): What they are grouped by.

    Returns:
        str: A sentence.
    """
    sizes = Counter(clip.group for clip in clips if clip.group)
    few, most = min(sizes.values()), max(sizes.values())
    each = f'{few} to {most}' if few < most else f'{few}'
    rest = sum(not clip.group for clip in clips)
    alone_too = f', {rest} clips have none' if rest else ''
    return f'{len(sizes)} groups of {each} clips by {by}{alone_too}; {APART}.'
