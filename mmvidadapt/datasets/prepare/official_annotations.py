"""Find and read the official annotation files of a published data set."""

import json
import os
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple, Union

from .annotation_lists import read_text


class Entry(NamedTuple):
    """A video of a data set, wherever it lies and whatever its ending is."""

    names: Tuple[str, ...]  # what its file may be called, best first
    label: Union[int, Tuple[int, ...]]  # of several tasks: one for each


class Official(NamedTuple):
    """The classes in their order, and the videos of every split."""

    classes: List[str]
    splits: Dict[str, List[Entry]]


def find_file(folder: Path, pattern: str) -> Path:
    """Find the one annotation file with a name.

    Args:
        folder (Path): Where to look, however deep.
        pattern (str): A regular expression for the whole name.

    Returns:
        Path: The file.
    """
    found = find_files(folder, pattern)
    if len(found) > 1:
        raise ValueError(
            f'Several files could be the annotations {pattern}: '
            f'{", ".join(map(str, found[:4]))}. Give the folder of the right '
            'one with --annotations.'
        )
    return found[0]


def find_files(folder: Path, pattern: str) -> List[Path]:
    """Find the annotation files whose names match, at least one.

    Args:
        folder (Path): Where to look, however deep.
        pattern (str): A regular expression for the whole name.

    Returns:
        List[Path]: The files, sorted.
    """
    found = sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if re.fullmatch(pattern, name)
    )
    if not found:
        raise ValueError(
            f'There is no file {pattern} in {folder}. Fetch the official '
            'annotations, or say where they are with --annotations.'
        )
    return found


def read_json(path: Path, kind: type = list) -> Any:
    """Read an annotation file in JSON.

    Args:
        path (Path): The file.
        kind (type): What it holds. Defaults to :class:`list`.

    Returns:
        Any: The content.

    Raises:
        ValueError: If it is no JSON, or holds something else.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f'{path} is no JSON: {error}. Fetch the file again.'
        ) from error
    if not isinstance(content, kind):
        raise ValueError(
            f'{path} holds a {type(content).__name__}, not a {kind.__name__}. '
            'Fetch the file again.'
        )
    return content


def bad_line(path: Path, number: int, line: object) -> ValueError:
    """Return the error for a line that is not in the official format."""
    return ValueError(
        f"{path}, line {number}: '{line}' is not in the official format. "
        'Fetch the file again.'
    )
