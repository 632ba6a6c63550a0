"""HMDB51: one file per class and split, ``CLASS_test_split{1,2,3}.txt``.

A line has the name of a video and 1 (training), 2 (test) or 0 (unused).
"""

import re
from pathlib import Path
from typing import Dict, List

from .annotation_lists import read_text
from .official_annotations import Entry, Official, bad_line, find_files

NAME = r'(.+)_test_split([123])\.txt'
SIDES = {'1': 'train', '2': 'val'}


def read_hmdb51(folder: Path) -> Official:
    """Read the annotations of the three splits.

    Args:
        folder (Path): Where the files are.

    Returns:
        Official: The classes, sorted; the splits ``train_split_1`` and so on.
    """
    paths = find_files(folder, NAME)
    parts = [re.fullmatch(NAME, path.name).groups() for path in paths]
    classes = sorted({name for name, _ in parts})
    splits: Dict[str, List[Entry]] = {}
    for path, (name, split) in zip(paths, parts):
        label = classes.index(name)
        for number, line in enumerate(read_text(path).splitlines(), 1):
            match = re.fullmatch(r'(\S.*)\.avi\s+([012])\s*', line)
            if match is None and line.strip():
                raise bad_line(path, number, line)
            if match is not None and match.group(2) in SIDES:
                key = f'{SIDES[match.group(2)]}_split_{split}'
                entry = Entry((f'{name}/{match.group(1)}',), label)
                splits.setdefault(key, []).append(entry)
    return Official(classes, dict(sorted(splits.items())))
