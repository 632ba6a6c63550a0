"""Write local files of mmengine whole or not at all."""

import os
from pathlib import Path
from typing import Union

from mmengine.fileio import FileClient, LocalBackend, register_backend

from mmvidadapt.utils.whole_file import whole_file

CHECKPOINTS = ('.pth', '.pt', '.ckpt', '.safetensors')


@register_backend('local', force=True, prefixes='')
class WholeLocalBackend(LocalBackend):
    """Write each file beside its place, and then put it there.

    It takes the place of mmengine's backend, which opens the file itself:
    whoever stops the process while it writes a checkpoint leaves a part of
    one under its name, also where a whole one was.
    """

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


# What ``file_client_args`` of old configs ask for.
FileClient.register_backend('disk', WholeLocalBackend, force=True)
