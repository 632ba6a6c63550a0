"""EPIC-KITCHENS-100: ``EPIC_100_{train,validation}.csv`` and the classes.

A line has a ``narration_id``, a ``verb_class`` and a ``noun_class``; its clip,
cut out of the long video, is called ``NARRATION_ID.mp4``. Names of verbs and
nouns stand in ``EPIC_100_{verb,noun}_classes.csv``.
"""

import csv
from io import StringIO
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from .annotation_lists import read_text
from .official_annotations import Entry, Official, bad_line, find_file

FILES = dict(train='train', val='validation')
Row = Tuple[str, int, int]


def read_epic100(folder: Path) -> Official:
    """Read the annotations.

    Args:
        folder (Path): Where the four files are.

    Returns:
        Official: The names of all actions, then all nouns, then all verbs;
        entries have a verb, a noun and an action. Actions are the pairs of
        verb and noun that there are in training or validation, in their
        order.
    """
    names = {task: _names(folder, task) for task in ('verb', 'noun')}
    rows = {split: [*_rows(folder, split, names)] for split in FILES}
    pairs = sorted({row[1:] for found in rows.values() for row in found})
    actions = {pair: number for number, pair in enumerate(pairs)}
    splits = {
        split: [
            Entry((name,), (verb, noun, actions[verb, noun]))
            for name, verb, noun in found
        ]
        for split, found in rows.items()
    }
    classes = [
        f'action: {names["verb"][verb]} {names["noun"][noun]}'
        for verb, noun in pairs
    ]
    for task in ('noun', 'verb'):  # in alphabetical order, as heads have them
        classes += [f'{task}: {name}' for name in names[task]]
    return Official(classes, splits)


def _names(folder: Path, task: str) -> List[str]:
    """Read the names of verbs or nouns in the order of their numbers."""
    path = find_file(folder, rf'EPIC_100_{task}_classes\.csv')
    found = []
    for number, row in _table(path):
        try:
            found.append((int(row['id']), row['key']))
        except (KeyError, TypeError, ValueError) as error:
            raise bad_line(path, number, row) from error
    if [number for number, _ in sorted(found)] != [*range(len(found))]:
        raise ValueError(
            f'{path} does not number its classes from 0, each once. Fetch the '
            'file again.'
        )
    return [name for _, name in sorted(found)]


def _rows(
    folder: Path, split: str, names: Dict[str, List[str]]
) -> Iterator[Row]:
    """Yield the clips of a split with the numbers of verb and noun."""
    path = find_file(folder, rf'EPIC_100_{FILES[split]}\.csv')
    for number, row in _table(path):
        try:
            labels = [int(row[f'{task}_class']) for task in names]
            name = row['narration_id']
        except (KeyError, TypeError, ValueError) as error:
            raise bad_line(path, number, row) from error
        sizes = map(len, names.values())
        if not all(0 <= n < size for n, size in zip(labels, sizes)):
            raise bad_line(path, number, row)
        yield (name, *labels)


def _table(path: Path) -> Iterator[Tuple[int, Dict[str, str]]]:
    """Yield the rows of a table by the numbers of their lines."""
    reader = csv.DictReader(StringIO(read_text(path)))
    for row in reader:
        yield reader.line_num, row
