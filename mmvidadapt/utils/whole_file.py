"""Write a file whole or not at all."""

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Optional, Union

FULL = (errno.ENOSPC, errno.EDQUOT)
MEGA = 1e6


@contextmanager
def whole_file(
    path: Union[str, os.PathLike],
    size: Optional[int] = None,
    sync: bool = True,
) -> Iterator[Path]:
    """Yield a path to write to, which becomes the file when all went well.

    Args:
        path (str | os.PathLike): The file, which keeps its content until
            then.
        size (int, optional): Bytes that it will have, for the error of a full
            disk. Defaults to None: as many as were written, or more.
        sync (bool): Whether what was written has to reach the disk before it
            gets its name, so that not even a power failure leaves a part of
            it there. Defaults to True.

    Yields:
        Path: Beside it, ``*.partial``, with the number of the process, so
        that nobody else writes there.

    Raises:
        OSError: If the disk is full, with the file, the space that it needs
            and the space that there is.
    """
    path = Path(path)
    part = path.with_name(f'{path.name}.{os.getpid()}.partial')
    try:
        yield part
        if sync:
            _sync(part)
        os.replace(part, path)
        if sync:
            with suppress(OSError):  # network disks may refuse it for folders
                _sync(path.parent)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _full(error, path, part, size) from error
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file or the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _full(
    error: OSError, path: Path, part: Path, size: Optional[int]
) -> OSError:
    """Describe which file did not fit, and how much is missing."""
    written = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(path.parent).free + written
    needed = (
        f'{size / MEGA:.1f} MB are needed'
        if size is not None
        else f'more than {written / MEGA:.1f} MB are needed'
    )
    what = 'quota used up' if error.errno == errno.EDQUOT else 'disk full'
    old = ' The file of before is still there.' if path.exists() else ''
    return OSError(
        error.errno,
        f'{path} was not written ({what}): {needed}, '
        f'{free / MEGA:.1f} MB are free in {path.parent}.{old} Make room, or '
        'write elsewhere, and start again; a training goes on with --resume',
        str(path),
    )
