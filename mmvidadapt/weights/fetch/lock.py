"""Lock a file, so that one process at a time downloads it."""

import os
from contextlib import contextmanager, suppress
from typing import Iterator

from filelock import FileLock, Timeout
from mmengine.logging import print_log


@contextmanager
def locked(path: str) -> Iterator[bool]:
    """Lock a file while a block runs; the file is gone afterwards.

    Args:
        path (str): File to lock, in a folder that exists.

    Yields:
        bool: Whether nobody else is in the block; False where the file
        system knows no locks, or another user's file lies there.
    """
    lock = FileLock(path, mode=0o666)
    try:
        _acquire(lock)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        # While it is held: who waits sees that it is gone, and makes another.
        with suppress(OSError):
            os.remove(path)
        lock.release()


def _acquire(lock: FileLock) -> None:
    """Wait for a lock, and say so."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print_log(f'Waiting for another process: {lock.lock_file}', 'current')
        lock.acquire()
