"""Build the model of an adapter file, if it is one that fits the file."""

import os
from typing import Any, Dict, Optional

from mmengine.registry import init_default_scope
from torch import nn

from mmvidadapt.utils import bounded_models
from mmvidadapt.utils.check_registered import check_running
from mmvidadapt.weights.adapter_file import AdapterFile
from mmvidadapt.weights.fetch.sources import resolve
from mmvidadapt.weights.fit import compare_named

from .split_state_dict import split_names

SPARE = 64 << 20  # bytes of a model that no file accounts for
# A trunk in a file may be half as wide in bits, and grow in its positions.
GROWTH = 4


def build_model(
    adapter: AdapterFile, path: str, trunk: Optional[str] = None
) -> nn.Module:
    """Build the model of an adapter file, its weights not yet loaded.

    Args:
        adapter (AdapterFile): The content.
        path (str): The file, for errors.
        trunk (str, optional): Where the image weights are, if not where the
            file says: a model much larger than they are is not built.
            Defaults to None.

    Returns:
        nn.Module: The model, whose names and shapes fit the adapter.

    Raises:
        ValueError: If the config builds no model, or one that does not fit.
    """
    config = _running(adapter, path)
    size = sum(tensor.nbytes for tensor in adapter.tensors.values())
    room = GROWTH * _trunk_bytes(trunk or adapter.trunk['source']) + SPARE
    sketch = bounded_models.sketch_model(config['model'], path, size + room)
    _compare(sketch, adapter, path)
    return bounded_models.build_model(config['model'], path, size + room)


def describe_model(adapter: AdapterFile, path: str) -> str:
    """Name the class of an adapter's model, having compared it with a sketch.

    Args:
        adapter (AdapterFile): The content.
        path (str): The file, for errors.

    Returns:
        str: The class of the recognizer.

    Raises:
        ValueError: See :func:`build_model`.
    """
    model = _running(adapter, path)['model']
    sketch = bounded_models.sketch_model(model, path)
    _compare(sketch, adapter, path)
    reads = model.get('data_preprocessor')
    if reads:  # a sketch does not look at its numbers
        bounded_models.build_model(reads, path)
    return type(sketch).__name__


def _running(adapter: AdapterFile, path: str) -> Dict[str, Any]:
    """Return the config after a check that its classes are registered."""
    if not adapter.config['model'].get('backbone'):
        raise ValueError(
            f'{path} is refused: the model of its config has no `backbone` '
            'that a trunk could be loaded into.'
        )
    config = check_running(adapter.config, path)
    init_default_scope(config.get('default_scope', 'mmaction'))
    return config


def _trunk_bytes(source: Optional[str]) -> int:
    """Count the bytes of a trunk's file, where it is here."""
    try:
        return os.path.getsize(resolve(source))
    except (OSError, TypeError):  # loading will say so
        return bounded_models.MOST_BYTES // GROWTH


def _compare(model: nn.Module, adapter: AdapterFile, path: str) -> None:
    """Raise where the tensors of a file are not those of its model."""
    state, (own, _) = model.state_dict(), split_names(model)
    wanted = {name: state[name] for name in own}
    found = compare_named(wanted, adapter.tensors, exact=True)
    if found:
        raise found.refusal(
            path,
            'model that its config describes',
            model,
            'It was altered, or written by another version of mmvidadapt '
            f'({adapter.version}).',
        )
