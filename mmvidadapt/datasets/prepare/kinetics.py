"""Kinetics-400, -600 and -700: ``train.csv`` and ``val.csv``.

The columns are ``label,youtube_id,time_start,time_end,split``; tools for
fetching call the files ``ID_START_END.mp4`` with six digits each, or ``ID.mp4``.
"""  # noqa: E501

import csv
from pathlib import Path
from typing import Iterator, Tuple

from .official_annotations import Entry, Official, bad_line, find_file

FILES = dict(
    train=r'(kinetics.*)?train\.csv',
    val=r'(kinetics.*)?(val|validate|validation)\.csv',
)


def read_kinetics(folder: Path) -> Official:
    """Read the annotations; labels are numbered as mmaction2 does.

    Args:
        folder (Path): Where the two files are.

    Returns:
        Official: The classes, sorted by name with ``_`` for spaces.
    """
    paths = {key: find_file(folder, name) for key, name in FILES.items()}
    classes = sorted({label for _, label, _ in _rows(paths['train'])})
    numbers = {name: i for i, name in enumerate(classes)}
    splits = {}
    for split, path in paths.items():
        splits[split] = []
        for number, label, names in _rows(path):
            if label not in numbers:
                raise bad_line(path, number, label)
            splits[split].append(Entry(names, numbers[label]))
    return Official(classes, splits)


def _rows(path: Path) -> Iterator[Tuple[int, str, Tuple[str, ...]]]:
    """Yield the number of a line, its label and what its file is called."""
    with open(path, newline='', encoding='utf-8-sig') as file:
        reader = csv.DictReader(file)
        for row in reader:
            try:
                video = row['youtube_id'].strip()
                start, end = (
                    int(float(row[key])) for key in ('time_start', 'time_end')
                )
                label = row['label'].replace('"', '').replace(' ', '_')
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise bad_line(path, reader.line_num, row) from error
            names = (f'{video}_{start:06d}_{end:06d}', video)
            yield reader.line_num, label, names
