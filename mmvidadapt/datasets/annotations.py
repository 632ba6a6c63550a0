"""Annotation lists: a path and a label in every line."""

from pathlib import Path
from typing import Iterator, List, Sequence, Tuple, Union

from mmengine.fileio import get

Label = Union[int, List[int]]
Limits = Union[int, Sequence[int], None]
SHOWN = 10  # bad lines that an error lists


def read_annotations(
    path: str,
    delimiter: str = ' ',
    multi_class: bool = False,
    num_classes: Limits = None,
    num_tasks: int = 0,
) -> Tuple[List[str], List[Label]]:
    """Read a list of videos in the format of mmaction2.

    Paths may hold the delimiter; line ends of Windows, a byte order mark and
    empty lines do not matter. A list without any labels gives -1. Where every
    video has a label for each of several tasks, or any number of labels, a
    single -1 stands for one that is not known, or for none.

    Args:
        path (str): The list.
        delimiter (str): What stands between path and label.
            Defaults to ``' '``.
        multi_class (bool): Whether videos have several labels.
            Defaults to False.
        num_classes (int | Sequence[int], optional): Labels must be lower;
            one number for each task where there are tasks. Defaults to None:
            not known.
        num_tasks (int): Number of labels that every video has, one for each
            task. Defaults to 0: there are no tasks.

    Returns:
        Tuple[List[str], List[Label]]: Paths and labels.

    Raises:
        ValueError: If lines are not understood; it lists their numbers.
    """
    names, labels, bad, bare = [], [], [], []
    for number, line in _read_lines(path):
        most = len(line) if multi_class else num_tasks or 1
        name, found = _split(line, delimiter, most)
        if multi_class and found == [-1]:
            found, known = [], True  # none of the classes
        else:
            known = len(found) >= max(1, num_tasks)
        if not known:
            bare.append((number, line))
            found = [-1] * num_tasks
        elif not name or _outside(found, num_classes, num_tasks):
            bad.append((number, line, _reason(name, found, num_classes)))
        names.append(name)
        several = multi_class or num_tasks
        labels.append(found if several else found[0] if found else -1)
    if len(bare) < len(names):
        short = f'{num_tasks} labels' if num_tasks > 1 else 'label'
        bad += [(*line, f'no {short} behind {delimiter!r}') for line in bare]
    if bad or not names:
        raise ValueError(_complain(path, sorted(bad), len(names)))
    return names, labels


def _read_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yield the number and the text of every line that is not empty."""
    for number, line in enumerate(decode(path, get(path)).split('\n'), 1):
        if line.strip():
            yield number, line.strip()


def decode(path: Union[str, Path], data: bytes) -> str:
    """Decode the content of a text file, with or without a byte order mark.

    Args:
        path (str | Path): The file, for the error.
        data (bytes): Its content.

    Returns:
        str: The text.

    Raises:
        ValueError: If it is not UTF-8; it says in which line.
    """
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b'\n') + 1
        raise ValueError(
            f'{path} is not UTF-8 text: line {number} holds the byte '
            f'0x{data[error.start]:02x}. Save it as UTF-8.'
        ) from error


def _split(line: str, delimiter: str, most: int) -> Tuple[str, List[int]]:
    """Split a line into a path and labels; the path may hold delimiters."""
    labels: List[int] = []
    while len(labels) < most:
        name, _, word = line.rpartition(delimiter)
        word = word.strip()
        if not (word.isascii() and word.lstrip('-').isdigit()):
            break
        labels.insert(0, int(word))
        line = name.rstrip()
    return line, labels


def _outside(
    labels: Sequence[int], num_classes: Limits, num_tasks: int
) -> bool:
    """Check whether a label is no class; of a task it may be unknown."""
    if isinstance(num_classes, (list, tuple)):
        limits = num_classes
    else:
        limits = [num_classes] * len(labels)
    lowest = -1 if num_tasks else 0
    return any(
        label < lowest or (limit is not None and label >= limit)
        for label, limit in zip(labels, limits)
    )


def _reason(name: str, labels: Sequence[int], num_classes: Limits) -> str:
    """Describe what is wrong with a line that has labels."""
    if not name:
        return 'no path'
    said = ', '.join(map(str, labels))
    if isinstance(num_classes, (list, tuple)):
        last = ', '.join(f'0 to {n - 1}' for n in num_classes)
        return f'labels {said} are not in {last}'
    last = '' if num_classes is None else f' to {num_classes - 1}'
    return f'label {said} is not in 0{last}'


def _complain(path: str, bad: Sequence[tuple], lines: int) -> str:
    """Describe what is wrong with a list."""
    if not bad:
        return f'{path} names no video; write a path and a label per line.'
    listed = ''.join(
        f'\n  line {number}: {line!r}: {reason}'
        for number, line, reason in bad[:SHOWN]
    )
    rest = f'\n  and {len(bad) - SHOWN} more' if len(bad) > SHOWN else ''
    return (
        f'{path} has {len(bad)} bad lines of {lines}:{listed}{rest}\n'
        'Correct them, or take them out.'
    )
