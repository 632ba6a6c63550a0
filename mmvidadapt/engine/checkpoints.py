"""Read a whole checkpoint, whatever contains it and wherever it lies."""

import os
from contextvars import ContextVar
from typing import Any, Mapping, Optional

from mmengine.runner import CheckpointLoader

from mmvidadapt.weights.adapter_file import is_adapter
from mmvidadapt.weights.fetch.sources import SOURCES, resolve
from mmvidadapt.weights.files.readers import load_checkpoint_file
from mmvidadapt.weights.load_hooks import remember

from .adapters import whole_checkpoint

MAPPED = ContextVar('mapped', default=False)


def is_remote(checkpoint: str) -> bool:
    """Check whether a checkpoint lies elsewhere, as ``https://`` ones."""
    return '://' in checkpoint


def read_checkpoint(checkpoint: str, copy: bool = True) -> Mapping[str, Any]:
    """Read a whole checkpoint as mmengine does; a file that is none is named.

    Args:
        checkpoint (str): What :func:`load_safely` takes, or a URL that
            mmengine knows.
        copy (bool): Whether the numbers are copied out of the file; see
            :func:`mmvidadapt.weights.load_weights_file`. Defaults to True.

    Returns:
        Mapping[str, Any]: Its content, on the CPU.
    """
    token = MAPPED.set(not copy)
    try:
        return CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    finally:
        MAPPED.reset(token)


def load_safely(
    filename: str, map_location: Optional[Any] = None
) -> Mapping[str, Any]:
    """Read a checkpoint of any container, and check what it holds.

    What mmengine calls for paths and URLs; see
    :func:`mmvidadapt.utils.host_files.checkpoint_files`. Downloads are kept,
    checked and read like local files. Adapter files are completed with the
    trunk that they were trained on.

    Args:
        filename (str): A path, a ``file://`` or ``http(s)://`` URL, or an
            alias of :data:`mmvidadapt.weights.SOURCES`.
        map_location (Any, optional): For mmengine's sake: files are read to
            the CPU. Defaults to None.

    Returns:
        Mapping[str, Any]: Its content.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if '://' in filename or filename in SOURCES:
        path = resolve(filename)
    else:
        path = os.path.expanduser(filename)
    content = (
        whole_checkpoint(path)
        if is_adapter(path)
        else load_checkpoint_file(path, copy=not MAPPED.get())
    )
    return remember(content, filename)
