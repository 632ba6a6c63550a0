"""Replace how mmengine reads checkpoints and writes local files."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.fileio import FileClient, LocalBackend, register_backend

from .whole_file import whole_file

CHECKPOINTS = ('.pth', '.pt', '.ckpt', '.safetensors')
SCHEMES = ('', 'file://', 'http://', 'https://')
READER = 'mmvidadapt.engine.checkpoints'


def whole_local_files() -> str:
    """Make mmengine write local files whole or not at all.

    Affected: mmengine <= 0.10.7. Symptom: who stops the process while it
    writes a checkpoint leaves a part of one under its name, also where a
    whole one was. mmengine asks its backends by name, so there is no other
    way for what hooks and runner write. Delete when it writes beside the
    place.
    """
    register_backend('local', WholeLocalBackend, force=True, prefixes='')
    # What ``file_client_args`` of old configs ask for.
    FileClient.register_backend('disk', WholeLocalBackend, force=True)
    return 'taught mmengine to write local files whole or not at all'


def checkpoint_files() -> str:
    """Make mmengine read checkpoints of any container, running nothing.

    Affected: mmengine <= 0.10.7. Symptoms: ``load_from``, ``init_cfg`` and
    ``init_recognizer`` know no safetensors, aliases and adapter files, run
    what a pickle from the network says, and leave a model random where a
    file is another model's. mmengine asks for a loader by the scheme of a
    path alone, for the whole process, so there is no other way. Delete when
    it reads safetensors, unpickles tensors only, and can be strict.
    """
    from mmengine.runner import CheckpointLoader
    from mmengine.runner.checkpoint import load_from_local

    if 'load_file' in load_from_local.__code__.co_names:  # of safetensors
        return 'not needed'
    CheckpointLoader.register_scheme(SCHEMES, load_from_mmvidadapt, force=True)
    return 'taught mmengine to read checkpoints of any container safely'


def load_from_mmvidadapt(
    filename: str, map_location: Optional[Any] = None
) -> Any:
    """Read a checkpoint; what does so is imported when it is needed.

    mmengine logs what its name says behind ``load_from_``.

    Args:
        filename (str): See
            :func:`mmvidadapt.engine.checkpoints.load_safely`.
        map_location (Any, optional): For mmengine's sake. Defaults to None.

    Returns:
        Any: Its content.
    """
    return import_module(READER).load_safely(filename, map_location)


class WholeLocalBackend(LocalBackend):
    """Write each file beside its place, and then put it there."""

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes.

        Args:
            obj (bytes): The content.
            filepath (str | Path): The file; its folder is made.

        Raises:
            OSError: If it cannot be written; then it is as it was before.
        """
        os.makedirs(os.path.dirname(filepath) or '.', exist_ok=True)
        # Waiting for the disk would cost images more than writing them.
        sync = str(filepath).endswith(CHECKPOINTS)
        with whole_file(filepath, len(obj), sync) as part:
            part.write_bytes(obj)

    def put_text(
        self, obj: str, filepath: Union[str, Path], encoding: str = 'utf-8'
    ) -> None:
        """Write a text.

        Args:
            obj (str): The content.
            filepath (str | Path): The file; its folder is made.
            encoding (str): Of the text. Defaults to 'utf-8'.
        """
        self.put(obj.replace('\n', os.linesep).encode(encoding), filepath)
