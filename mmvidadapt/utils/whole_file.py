"""A file is written whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union


@contextmanager
def whole_file(path: Union[str, os.PathLike]) -> Iterator[Path]:
    """Give a path to write to, which becomes the file when all went well.

    Args:
        path (str | os.PathLike): The file, which keeps its content until
            then.

    Yields:
        Path: Beside it, ``*.partial``, with the number of the process, so
        that nobody else writes there.
    """
    path = Path(path)
    part = path.with_name(f'{path.name}.{os.getpid()}.partial')
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
