"""mmengine loads checkpoints of any container, by path, URL or alias."""

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator, Mapping, Optional

from mmengine.runner import CheckpointLoader

from mmvidadapt.weights.adapter_file import is_adapter
from mmvidadapt.weights.fetch.sources import SOURCES, resolve
from mmvidadapt.weights.files.readers import load_checkpoint_file
from mmvidadapt.weights.whole import mark

from .adapters import whole_checkpoint

MAPPED = ContextVar('mapped', default=False)
OURS = ('', 'file://', 'http://', 'https://')


@CheckpointLoader.register_scheme(prefixes=OURS, force=True)
def load_safely(
    filename: str, map_location: Optional[Any] = None
) -> Mapping[str, Any]:
    """Read a checkpoint of any container, and check what it holds.

    Downloads are kept, checked and read like local files: mmengine's own
    loader would run what a pickle from the network says. Adapter files are
    completed with the trunk that they were trained on. What is returned
    bears the name of the file, for :mod:`mmvidadapt.weights.whole`.

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
    return mark(content, filename)


@contextmanager
def mapped(wanted: bool = True) -> Iterator[None]:
    """Let checkpoints be mapped, not copied, inside of this.

    Args:
        wanted (bool): Whether they are to be. Defaults to True.
    """
    token = MAPPED.set(wanted)
    try:
        yield
    finally:
        MAPPED.reset(token)
