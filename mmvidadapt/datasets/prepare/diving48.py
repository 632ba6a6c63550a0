"""Diving-48, version 2: ``Diving48_V2_{train,test}.json`` and the vocabulary.

A video has a ``vid_name`` and a ``label``; its file is called
``VID_NAME.mp4``. The vocabulary names the four parts of every dive.
"""

from pathlib import Path

from .official_annotations import (
    Entry,
    Official,
    bad_line,
    find_file,
    read_json,
)


def read_diving48(folder: Path) -> Official:
    """Read the annotations; the official test set validates.

    Args:
        folder (Path): Where the three files are.

    Returns:
        Official: The classes in the order of the vocabulary.
    """
    path = find_file(folder, r'Diving48_vocab\.json')
    dives = read_json(path)
    classes = ['_'.join(dive) for dive in dives]
    splits = {}
    for split, name in dict(train='train', val='test').items():
        path = find_file(folder, rf'Diving48_V2_{name}\.json')
        splits[split] = []
        for number, item in enumerate(read_json(path), 1):
            try:
                entry = Entry((item['vid_name'],), int(item['label']))
            except (KeyError, TypeError, ValueError) as error:
                raise bad_line(path, number, item) from error
            if not 0 <= entry.label < len(classes):
                raise bad_line(path, number, item)
            splits[split].append(entry)
    return Official(classes, splits)
