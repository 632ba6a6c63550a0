"""Annotation lists of mmaction2, and the names of the classes."""

from pathlib import Path
from typing import Iterable, List, Sequence, Tuple, Union

from ..annotations import decode, read_annotations

Label = Union[int, Sequence[int]]


def read_list(path: Path) -> List[Tuple[str, int]]:
    """Read a list; a tab or a space stands between path and label.

    Args:
        path (Path): The list; paths may hold spaces.

    Returns:
        List[Tuple[str, int]]: Paths and numbers of classes, -1 where the
        list has none.
    """
    tabs = b'\t' in path.read_bytes()
    return list(zip(*read_annotations(str(path), '\t' if tabs else ' ')))


def write_list(path: Path, rows: Iterable[Tuple[str, Label]]) -> None:
    """Write paths and numbers of classes, the whole file or none.

    Args:
        path (Path): The list.
        rows (Iterable[Tuple[str, Label]]): Paths, each with a number or
            several; -1 stands for none.
    """
    lines = [
        f'{video} {label if isinstance(label, int) else _several(label)}\n'
        for video, label in rows
    ]
    write_text(path, ''.join(lines))


def _several(labels: Sequence[int]) -> str:
    """Write several labels of a video."""
    return ' '.join(map(str, labels)) or '-1'


def write_classes(path: Path, classes: Sequence[str]) -> None:
    """Write the names of the classes in their order, one per line."""
    write_text(path, ''.join(f'{name}\n' for name in classes))


def read_text(path: Path) -> str:
    """Read a text file, wherever it was written."""
    text = decode(path, path.read_bytes())
    return text.replace('\r\n', '\n').replace('\r', '\n')


def keep_sources(sources: Iterable[Path], written: Iterable[Path]) -> None:
    """Raise where a file that is read would be written over.

    Args:
        sources (Iterable[Path]): The files that are read.
        written (Iterable[Path]): The files that will be written.
    """
    read = {source.resolve() for source in sources}
    for path in written:
        if path.resolve() in read:
            raise ValueError(
                f'{path} is read and would be written over; choose another '
                'folder.'
            )


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.part-{path.name}')
    part.write_text(text, encoding='utf-8')
    part.replace(path)
