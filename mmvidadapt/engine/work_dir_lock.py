"""Reject a second training in the folder of one that runs."""

import errno
import logging
import os
import socket
import time
from contextlib import suppress
from typing import Dict, Optional, Tuple

from mmengine.logging import print_log

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

NAME = '.training.lock'
HELD: Dict[str, Tuple[int, int]] = {}  # folder: process and descriptor
TAKEN = (errno.EAGAIN, errno.EACCES)


def lock_work_dir(work_dir: str) -> None:
    """Reserve a folder for the trainings of this process.

    The operating system gives the lock back when the process ends, however it
    ends, and processes that it has forked do not hold it.

    Args:
        work_dir (str): The folder, which is made.

    Raises:
        RuntimeError: If another process trains there.
    """
    folder = os.path.realpath(work_dir)
    if fcntl is None or _holds(folder):
        return
    os.makedirs(folder, exist_ok=True)
    descriptor = _locked(work_dir, os.path.join(folder, NAME))
    if descriptor is not None:
        HELD[folder] = (os.getpid(), descriptor)


def release_work_dir(work_dir: str) -> None:
    """Release a folder to other processes.

    Args:
        work_dir (str): The folder.
    """
    folder = os.path.realpath(work_dir)
    if _holds(folder):
        with suppress(FileNotFoundError):
            os.remove(os.path.join(folder, NAME))
        os.close(HELD.pop(folder)[1])


def _holds(folder: str) -> bool:
    """Check whether this process has locked the file that lies there."""
    pid, descriptor = HELD.get(folder, (None, None))
    return pid == os.getpid() and _is_there(descriptor, folder)


def _is_there(descriptor: int, folder: str) -> bool:
    """Check whether an open file is the one that lies in a folder now."""
    with suppress(FileNotFoundError):
        there = os.stat(os.path.join(folder, NAME))
        return os.path.samestat(there, os.fstat(descriptor))
    return False


def _locked(work_dir: str, path: str) -> Optional[int]:
    """Open and lock a file; None where the file system knows no locks."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            # Not by filelock: locks of flock live on in data loading workers.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 200).decode(errors='replace')
            os.close(descriptor)
            if error.errno in TAKEN:
                raise RuntimeError(_in_use(work_dir, holder)) from None
            print_log(
                f'{work_dir} lies on a file system without locks ({error}): '
                'nothing stops a second training there.',
                logger='current',
                level=logging.WARNING,
            )
            return None
        if _is_there(descriptor, os.path.dirname(path)):
            break
        os.close(descriptor)  # who ended has removed it meanwhile
    now = time.strftime('%Y-%m-%d %H:%M:%S')
    said = f'process {os.getpid()} on {socket.gethostname()} since {now}'
    os.truncate(descriptor, 0)
    os.write(descriptor, said.encode())
    return descriptor


def _in_use(work_dir: str, holder: str) -> str:
    """Format the error that names who trains in a folder."""
    return (
        f'work_dir {work_dir} is in use: {holder or "another process"} trains '
        'there, and two trainings would overwrite the files of each other. '
        'Give another folder with --work-dir, or wait until that one has '
        'ended.'
    )
