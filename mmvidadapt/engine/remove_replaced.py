"""Remove what other files have taken the place of."""

import os
import re
from typing import Any, Iterable, List

from mmengine.dist import master_only
from mmengine.fileio import BaseStorageBackend

from .find_checkpoint import POINTER

PARTIAL = re.compile(rf'(.*\.pth|.*\.safetensors|{POINTER})\.\d+\.partial')


class RemoveLater:
    """A backend that notes what it is to remove.

    Args:
        backend (BaseStorageBackend): For everything else.
        paths (List[str]): Gets the paths.
    """

    def __init__(self, backend: BaseStorageBackend, paths: List[str]) -> None:
        self.backend = backend
        self.remove = self.rmtree = paths.append

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the backend does."""
        return getattr(self.backend, name)


@master_only
def clear_partial(folders: Iterable[str]) -> None:
    """Remove what a killed run was writing; nobody else trains there.

    Args:
        folders (Iterable[str]): Where it wrote.
    """
    for folder in folders:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if PARTIAL.fullmatch(name):
                os.remove(os.path.join(folder, name))


@master_only
def remove_from(
    backend: BaseStorageBackend, folder: str, paths: Iterable[str]
) -> None:
    """Remove checkpoints that lie in a folder.

    Args:
        backend (BaseStorageBackend): Of the folder.
        folder (str): With a slash at its end.
        paths (Iterable[str]): Those in other folders stay: they are of
            another run, from which this one was resumed.
    """
    for path in sorted(paths):
        if os.path.dirname(path) != os.path.dirname(folder):
            continue
        if backend.isfile(path):
            backend.remove(path)
        elif backend.isdir(path):  # of deepspeed
            backend.rmtree(path)
