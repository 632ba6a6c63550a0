"""UCF101: ``classInd.txt``, ``trainlist0{1,2,3}.txt``, ``testlist0*.txt``.

A line of a list has the path of a video, ``CLASS/NAME.avi``, and in training
the number of its class, which counts from 1.
"""

import re
from pathlib import Path
from typing import Dict, List

from .annotation_lists import read_text
from .official_annotations import (
    Entry,
    Official,
    bad_line,
    find_file,
    find_files,
)


def read_ucf101(folder: Path) -> Official:
    """Read the annotations of the three splits.

    Args:
        folder (Path): Where the files are.

    Returns:
        Official: The classes in the order of their numbers; the splits
        ``train_split_1`` and so on.
    """
    path = find_file(folder, r'classInd\.txt')
    numbers = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = re.fullmatch(r'(\d+)\s+(\S+)\s*', line)
        if match is None and line.strip():
            raise bad_line(path, number, line)
        if match is not None:
            numbers[match.group(2)] = int(match.group(1)) - 1
    splits = {}
    for side, name in dict(train='train', val='test').items():
        for path in find_files(folder, name + r'list0[123]\.txt'):
            key = f'{side}_split_{path.stem[-1]}'
            splits[key] = _entries(path, numbers)
    return Official(sorted(numbers, key=numbers.get), splits)


def _entries(path: Path, numbers: Dict[str, int]) -> List[Entry]:
    """Read a list."""
    entries = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = re.fullmatch(r'((\S+)/\S+)\.avi(?:\s+(\d+))?\s*', line)
        if match is None:
            if line.strip():
                raise bad_line(path, number, line)
            continue
        name, folder, said = match.groups()
        label = numbers.get(folder)
        if label is None or (said is not None and int(said) != label + 1):
            raise bad_line(path, number, line)
        entries.append(Entry((name,), label))
    return entries
