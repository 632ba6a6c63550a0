"""Read files of torch.save, after a look at what they would make."""

import os
import re
import zipfile
from typing import Any, List

import torch

from .archives import check_entries, check_stored, find_directory
from .pickles import check_pickle

PICKLED = re.compile(r'([^/]+/)data\.pkl')
ZIPPED = b'PK\3\4'
LEGACY = 5  # pickles: a number, a version, a system, the content, its keys


def read_archive(path: str, copy: bool = True) -> Any:
    """Read a new file of torch.save, whose checksums torch does not read.

    Args:
        path (str): The file.
        copy (bool): Whether the numbers are copied out of the file; else
            they change with it. Defaults to True.

    Returns:
        Any: Its content, on the CPU.
    """
    check_archive(path)
    return _read(path, mmap=not copy)


def read_legacy(path: str, copy: bool = True) -> Any:
    """Read an old file of torch.save.

    Args:
        path (str): The file.
        copy (bool): For other readers' sake: the numbers are copied.
            Defaults to True.

    Returns:
        Any: Its content, on the CPU.
    """
    check_legacy(path)
    return _read(path)


def _read(path: str, **options: Any) -> Any:
    """Read without running code."""
    return torch.load(path, map_location='cpu', weights_only=True, **options)


def check_file(path: str) -> None:
    """Refuse a file of torch.save, new or old, that asks for too much.

    Args:
        path (str): The file.

    Raises:
        ValueError: If it is damaged or packed.
        pickle.UnpicklingError: If its pickles ask for too much.
    """
    with open(path, 'rb') as file:
        zipped = file.read(len(ZIPPED)) == ZIPPED  # as torch tells them
    check = check_archive if zipped else check_legacy
    check(path)


def check_archive(path: str) -> None:
    """Refuse an archive that would take more than its size suggests.

    Args:
        path (str): The file.

    Raises:
        ValueError: If it is damaged or packed.
        pickle.UnpicklingError: If its pickle asks for too much.
    """
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        find_directory(file, size)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        check_entries(entries, size)
        check_stored(entries)
        folder = find_folder(archive.namelist())
        with archive.open(f'{folder}data.pkl') as file:
            storages = check_pickle(file, size)
        sizes = {entry.filename: entry.file_size for entry in entries}
        for storage in storages:
            there = sizes.get(f'{folder}data/{storage.key}', storage.nbytes)
            if storage.nbytes > there:
                raise ValueError(
                    f'{storage.key} promises {storage.nbytes:,} bytes, and '
                    f'has {there:,}'
                )
        wrong = archive.testzip()
    if wrong:
        raise ValueError(f'the checksum of {wrong} is wrong')


def check_legacy(path: str) -> None:
    """Refuse an old file whose pickles ask for too much.

    Args:
        path (str): The file.

    Raises:
        pickle.UnpicklingError: If one of them does.
    """
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        for _ in range(LEGACY):
            if file.tell() < size:
                check_pickle(file, size)


def find_folder(names: List[str]) -> str:
    """Find the folder of an archive that holds the pickled content.

    Args:
        names (List[str]): Of its entries.

    Returns:
        str: The folder, with a slash.

    Raises:
        ValueError: If there is none, or several.
    """
    matches = [match for match in map(PICKLED.fullmatch, names) if match]
    if len(matches) != 1:
        raise ValueError(f'{len(matches)} entries are a data.pkl')
    return matches[0][1]
