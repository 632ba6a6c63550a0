"""Charades: ``Charades_v1_{train,test}.csv`` and ``Charades_v1_classes.txt``.

A video has an ``id`` and ``actions``, ``c092 11.9 21.2;c147 0 12.6``: classes
with the seconds in which they are seen, none or many of them. Its file is
called ``ID.mp4``.
"""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Dict, List

from .annotation_lists import read_text
from .official_annotations import Entry, Official, bad_line, find_file


def read_charades(folder: Path) -> Official:
    """Read the annotations; the official test set validates.

    Args:
        folder (Path): Where the three files are.

    Returns:
        Official: The classes in the order of their numbers; entries have any
        number of labels, each once.
    """
    path = find_file(folder, r'Charades_v1_classes\.txt')
    names = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = re.fullmatch(r'(c\d{3}) (.+)', line.strip())
        if match is None and line.strip():
            raise bad_line(path, number, line)
        if match is not None:
            names[match[1]] = match[2]
    numbers = {code: i for i, code in enumerate(sorted(names))}
    splits = {
        split: _entries(folder, rf'Charades_v1_{name}\.csv', numbers)
        for split, name in dict(train='train', val='test').items()
    }
    return Official([names[code] for code in numbers], splits)


def _entries(folder: Path, name: str, numbers: Dict[str, int]) -> List[Entry]:
    """Read the videos of a split."""
    path = find_file(folder, name)
    reader = csv.DictReader(StringIO(read_text(path)))
    entries = []
    for row in reader:
        try:
            actions = filter(None, row['actions'].split(';'))
            labels = {numbers[action.split()[0]] for action in actions}
            entries.append(Entry((row['id'],), tuple(sorted(labels))))
        except (AttributeError, IndexError, KeyError) as error:
            raise bad_line(path, reader.line_num, row) from error
    return entries
