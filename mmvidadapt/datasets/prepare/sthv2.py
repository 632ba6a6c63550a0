"""Something-Something V2: ``labels``, ``train`` and ``validation`` as JSON.

A video has an ``id`` and a ``template``; the labels are the templates without
the brackets around what they leave open. Videos are called ``ID.webm``.
"""

from pathlib import Path
from typing import Dict

from .official_annotations import (
    Entry,
    Official,
    bad_line,
    find_file,
    read_json,
)

PREFIX = r'(something-something-v2-)?'


def read_sthv2(folder: Path) -> Official:
    """Read the annotations. The test set has no labels and is left out.

    Args:
        folder (Path): Where the three files are.

    Returns:
        Official: The classes in the order of their official numbers.
    """
    path = find_file(folder, PREFIX + r'labels\.json')
    numbers = {k: int(v) for k, v in read_json(path, dict).items()}
    splits = {}
    for split, name in dict(train='train', val='validation').items():
        path = find_file(folder, PREFIX + name + r'\.json')
        splits[split] = [
            _entry(path, number, item, numbers)
            for number, item in enumerate(read_json(path), 1)
        ]
    return Official(sorted(numbers, key=numbers.get), splits)


def _entry(
    path: Path, number: int, item: Dict[str, str], numbers: Dict[str, int]
) -> Entry:
    """Read a video."""
    try:
        label = item['template'].replace('[', '').replace(']', '')
        return Entry((str(item['id']),), numbers[label])
    except (KeyError, TypeError) as error:
        raise bad_line(path, number, item) from error
