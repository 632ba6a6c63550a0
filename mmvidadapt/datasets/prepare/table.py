"""Own videos in a table with a header."""

import csv
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from .sources import SPLIT_NAMES, SPLITS, Clip, Source

# What a column is called where nobody says it.
COLUMNS = dict(
    path=('path', 'file', 'filename', 'video', 'clip', 'name'),
    label=('label', 'class', 'category', 'action'),
    group=(),
    split=('split', 'subset'),
)


def read_csv(
    path: Path,
    root: Optional[Path] = None,
    columns: Optional[Dict[str, Optional[str]]] = None,
) -> Source:
    """Read a table whose first line names its columns.

    Args:
        path (Path): The file; commas, semicolons or tabs between columns.
        root (Path, optional): The folder that its paths are relative to.
            Defaults to None: that of the file.
        columns (Dict[str, str], optional): Names of the columns ``path``,
            ``label``, ``group`` and ``split`` where they are not usual ones.
            Defaults to None.

    Returns:
        Source: The videos.
    """
    names, rows = _read_rows(path, columns or {})
    splits = [row.get('split', '').lower() for row in rows]
    _complain(
        path,
        [
            (number, problem)
            for number, (row, split) in enumerate(zip(rows, splits), start=2)
            for problem in _problems(row, split, 'split' in names)
        ],
    )
    clips = [
        Clip(
            row['path'],
            row['label'],
            row.get('group'),
            SPLIT_NAMES.get(split),
        )
        for row, split in zip(rows, splits)
    ]
    return Source(root or path.parent, clips)


def _read_rows(
    path: Path, columns: Dict[str, Optional[str]]
) -> Tuple[Dict[str, str], List[Dict[str, str]]]:
    """Return the names of the columns that there are, and the rows."""
    with open(path, newline='', encoding='utf-8-sig') as file:
        head = file.readline()
        delimiter = max(',;\t', key=head.count)
        file.seek(0)
        reader = csv.DictReader(file, delimiter=delimiter, restval='')
        names = _find_columns(path, reader.fieldnames or [], columns)
        rows = [
            {key: (row[name] or '').strip() for key, name in names.items()}
            for row in reader
        ]
    return names, rows


def _find_columns(
    path: Path, found: Sequence[str], columns: Dict[str, Optional[str]]
) -> Dict[str, str]:
    """Return the name of every column that there is."""
    lower = {name.strip().lower(): name for name in found if name}
    names = {}
    for key, usual in COLUMNS.items():
        said = columns.get(key)
        wanted = (said.lower(),) if said else usual
        name = next((lower[w] for w in wanted if w in lower), None)
        if name is not None:
            names[key] = name
        elif said or key in ('path', 'label'):
            raise ValueError(
                f'{path} has the columns {list(found)}; none is called '
                f'{" or ".join(wanted)}. Name the right one with '
                f'--{key}-column.'
            )
    return names


def _problems(
    row: Dict[str, str], split: str, has_split: bool
) -> Iterator[str]:
    """Say what a row lacks."""
    if not row['path']:
        yield 'it has no path'
    if not row['label']:
        yield 'it has no label'
    if has_split and split not in SPLIT_NAMES:
        yield f"its split '{split}' is none of {', '.join(SPLITS)}"


def _complain(path: Path, problems: Sequence[tuple]) -> None:
    """Raise where there are problems, with the numbers of their lines."""
    if problems:
        said = '; '.join(f'line {n}: {what}' for n, what in problems[:5])
        more = f' and {len(problems) - 5} more' * (len(problems) > 5)
        raise ValueError(f'{path}, {said}{more}. Correct the file.')
