"""Own videos in a table with a header."""

import csv
from io import StringIO
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple, Union

from .annotation_lists import read_text
from .video_folders import SPLIT_NAMES, SPLITS, Clip, Source

# What a column is called where nobody says it.
COLUMNS = dict(
    path=('path', 'file', 'filename', 'video', 'clip', 'name'),
    label=('label', 'class', 'category', 'action'),
    group=(),
    split=('split', 'subset'),
)

EXTRA = 'extra'  # what stands behind the last column
TASK = 'task '  # before the name of a task, as the key of its column
SEPARATOR = ';'  # between the labels of a clip that has several

Columns = Dict[str, Union[str, Sequence[str], None]]


def read_csv(
    path: Path,
    root: Optional[Path] = None,
    columns: Optional[Columns] = None,
    separator: Optional[str] = None,
) -> Source:
    """Read a table whose first line names its columns.

    A clip has one label. With ``separator`` it may have any number of labels,
    ``run;jump``, and none where the separator stands alone. With several
    columns of labels these are tasks, ``verb`` and ``noun``, and a cell may
    be empty where the label of a task is not known.

    Args:
        path (Path): The file; commas, semicolons or tabs between columns.
        root (Path, optional): The folder that its paths are relative to.
            Defaults to None: that of the file.
        columns (Dict[str, str | Sequence[str]], optional): Names of the
            columns ``path``, ``label``, ``group`` and ``split`` where they
            are not usual ones; of several tasks a list for ``label``.
            Defaults to None.
        separator (str, optional): What stands between several labels in a
            cell, unless it stands between the columns. Defaults to None:
            there is one label in a cell.

    Returns:
        Source: The videos.
    """
    columns, tasks = _split_tasks(columns or {})
    rows = _read_rows(path, columns)
    if tasks or separator == _delimiter(read_text(path)):
        separator = None
    if not rows:
        raise ValueError(f'{path} has no line below its header.')
    splits = [row.get('split', '').lower() for row in rows.values()]
    _complain(
        path,
        [
            (number, problem)
            for (number, row), split in zip(rows.items(), splits)
            for problem in _problems(row, split, tasks)
        ],
    )
    several = separator is not None and any(
        separator in row['label'] for row in rows.values()
    )
    clips = [
        Clip(
            row['path'],
            _labels(row, tasks, separator if several else None),
            row.get('group'),
            SPLIT_NAMES.get(split),
        )
        for row, split in zip(rows.values(), splits)
    ]
    return Source(root or path.parent, clips, several=several, tasks=tasks)


def _split_tasks(
    columns: Columns,
) -> Tuple[Dict[str, Optional[str]], Tuple[str, ...]]:
    """Name the columns of several tasks after these, and return the tasks."""
    label = columns.get('label')
    if label is None or isinstance(label, str):
        return dict(columns), ()
    if len(label) == 1:
        return dict(columns, label=label[0]), ()
    others = {k: v for k, v in columns.items() if k != 'label'}
    return {**others, **{TASK + name: name for name in label}}, tuple(label)


def _labels(
    row: Dict[str, str], tasks: Sequence[str], separator: Optional[str]
) -> Union[str, Tuple[str, ...]]:
    """Return the label of a row, or its labels."""
    if tasks:
        known = [task for task in tasks if row[TASK + task]]
        return tuple(f'{task}: {row[TASK + task]}' for task in known)
    if separator is None:
        return row['label']
    names = [name.strip() for name in row['label'].split(separator)]
    return tuple(dict.fromkeys(name for name in names if name))


def read_header(path: Path) -> List[str]:
    """Read the names of the columns of a table, as they are written.

    Args:
        path (Path): The file.

    Returns:
        List[str]: The names, from left to right; none of an empty file.
    """
    first = read_text(path).partition('\n')[0]
    names = next(csv.reader([first], delimiter=_delimiter(first)), [])
    return [name.strip() for name in names]


def _delimiter(text: str) -> str:
    """Find out what stands between the columns of a table."""
    return max(',;\t', key=text.partition('\n')[0].count)


def _read_rows(
    path: Path, columns: Dict[str, Optional[str]]
) -> Dict[int, Dict[str, str]]:
    """Return the rows by the numbers of their (last) lines."""
    text = read_text(path)
    delimiter = _delimiter(text)
    reader = csv.DictReader(StringIO(text), delimiter=delimiter, restval='')
    rows = {}
    try:
        names = _find_columns(path, reader.fieldnames or [], columns)
        for row in reader:
            known = {k: row[name].strip() for k, name in names.items()}
            if None in row:
                known[EXTRA] = delimiter.join(row[None])
            rows[reader.line_num] = known
    except csv.Error as error:
        raise ValueError(
            f'{path}, line {reader.line_num + 1}: {error}. Correct the file.'
        ) from error
    return rows


def _find_columns(
    path: Path, found: Sequence[str], columns: Dict[str, Optional[str]]
) -> Dict[str, str]:
    """Return the name of every column that there is."""
    lower = {name.strip().lower(): name for name in found if name}
    names, tasks = {}, {k: () for k in columns if k.startswith(TASK)}
    usual_names = {**COLUMNS, **tasks}
    if tasks:
        del usual_names['label']
    for key, usual in usual_names.items():
        said = columns.get(key)
        wanted = (said.lower(),) if said else usual
        name = next((lower[w] for w in wanted if w in lower), None)
        if name is not None:
            names[key] = name
        elif said or key in ('path', 'label'):
            raise ValueError(
                f'{path} has the columns {list(found)}; none is called '
                f'{" or ".join(wanted)}. Name the right one with '
                f'--{"label" if key in tasks else key}-column.'
            )
    return names


def _problems(
    row: Dict[str, str], split: str, tasks: Sequence[str]
) -> Iterator[str]:
    """List what is wrong with a row."""
    if EXTRA in row:
        yield f"'{row[EXTRA]}' is too much; put quotes around paths"
    if not row['path']:
        yield 'it has no path'
    labels = [row[TASK + task] for task in tasks] or [row['label']]
    if not any(labels):
        yield 'it has no label'
    if any('\n' in label for label in labels):
        yield 'its label has a line break'
    if 'split' in row and split not in SPLIT_NAMES:
        yield f"its split '{split}' is none of {', '.join(SPLITS)}"


def _complain(path: Path, problems: Sequence[tuple]) -> None:
    """Raise where there are problems, with the numbers of their lines."""
    if problems:
        said = '; '.join(f'line {n}: {what}' for n, what in problems[:5])
        more = f' and {len(problems) - 5} more' * (len(problems) > 5)
        raise ValueError(f'{path}, {said}{more}. Correct the file.')
