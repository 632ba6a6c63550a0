"""Read a checkpoint, whatever holds it and wherever it lies."""

from typing import Any, Mapping

from mmengine.runner import CheckpointLoader

from .local_checkpoints import mapped


def is_remote(checkpoint: str) -> bool:
    """Whether mmengine fetches this checkpoint, as ``https://`` ones."""
    return '://' in checkpoint


def read_checkpoint(checkpoint: str, copy: bool = True) -> Mapping[str, Any]:
    """Read a whole checkpoint; a file that is none is named.

    An adapter file is completed with the trunk that it was trained on.

    Args:
        checkpoint (str): A path, a URL or an alias, as
            :func:`mmvidadapt.engine.local_checkpoints.load_safely` takes
            them, or a URL that mmengine knows.
        copy (bool): Whether the numbers are copied out of the file; see
            :func:`mmvidadapt.weights.load_weights_file`. Defaults to True.

    Returns:
        Mapping[str, Any]: Its content, on the CPU.
    """
    with mapped(not copy):
        return CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
