"""One process at a time."""

import os
from contextlib import contextmanager, suppress
from typing import Iterator, Optional

from mmengine.logging import print_log

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def locked(path: str) -> Iterator[bool]:
    """Let one process at a time into the block; the file is gone afterwards.

    Args:
        path (str): File to lock, in a folder that exists.

    Yields:
        bool: Whether nobody else is in the block; False where the file
        system or the operating system knows no locks.
    """
    file = None if fcntl is None else _open_locked(path)
    try:
        yield file is not None
    finally:
        if file is not None:
            with suppress(FileNotFoundError):
                os.remove(path)
            os.close(file)


def _open_locked(path: str) -> Optional[int]:
    """Lock the file that lies under a path; None where there are no locks.

    Who waited holds a file that its owner has removed, while a third process
    may hold a new one; so the file must still be there.
    """
    while True:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_log(f'Waiting for another process: {path}', 'current')
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            os.close(file)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(file)):
                return file
        os.close(file)
