"""mmengine loads checkpoints of other containers than torch's by path."""

import os
from typing import Any, Mapping, Optional

from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import load_from_local

from mmvidadapt.weights.adapter_file import is_adapter
from mmvidadapt.weights.readers import load_checkpoint_file

from .adapters import whole_checkpoint


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local_file(
    filename: str, map_location: Optional[Any] = None
) -> Mapping[str, Any]:
    """Read a local checkpoint of any container, and check what it holds.

    Adapter files are completed with the trunk that they were trained on.

    Args:
        filename (str): A path.
        map_location (Any, optional): For mmengine's sake: files are read to
            the CPU. Defaults to None.

    Returns:
        Mapping[str, Any]: Its content.
    """
    path = os.path.expanduser(filename)
    if is_adapter(path):
        return whole_checkpoint(path)
    if os.path.isfile(path):
        return load_checkpoint_file(path)
    return load_from_local(filename, map_location)  # says what is missing
