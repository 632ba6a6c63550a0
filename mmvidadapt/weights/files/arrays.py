"""Read parameters of flax models: msgpack files and NumPy archives."""

import os
import zipfile
from typing import Any, Dict, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from .archives import check_entries
from .msgpack import Array, read_msgpack

# What stands around the parameters in a training state.
NESTS = ('optimizer/target/', 'opt/target/', 'target/', 'params/')


def read_flax(path: str) -> Dict[str, Tensor]:
    """Read the parameters of a flax checkpoint, ``a/b/kernel`` to tensor.

    Args:
        path (str): A msgpack file; momentum and counters are left out.

    Returns:
        Dict[str, Tensor]: Parameters as flax lays them out.
    """
    arrays = open_nests(dict(_flat(read_msgpack(path))))
    return {name: array.tensor() for name, array in arrays.items()}


def read_npz(path: str) -> Dict[str, Tensor]:
    """Read a NumPy archive of parameters, as image ViTs are published.

    Args:
        path (str): An ``.npz`` file; pickled entries are refused.

    Returns:
        Dict[str, Tensor]: Parameters as flax lays them out.
    """
    with zipfile.ZipFile(path) as archive:
        check_entries(archive.infolist(), os.path.getsize(path))
    with np.load(path, allow_pickle=False) as archive:
        entries = open_nests({name: name for name in archive.files})
        return {
            name: torch.from_numpy(archive[entry])
            for name, entry in entries.items()
        }


def _flat(tree: Mapping[Any, Any], path: str = '') -> Iterator[tuple]:
    """Yield the arrays of nested maps by their paths."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{path}{key}/')
        elif isinstance(value, Array):
            yield f'{path}{key}', value


def open_nests(flat: Dict[str, Any]) -> Dict[str, Any]:
    """Take parameters out of what stands around them.

    Args:
        flat (Dict[str, Any]): Whatever has the paths of flax as names.

    Returns:
        Dict[str, Any]: Parameters by their paths in the model.
    """
    nest = next(
        (nest for nest in NESTS if any(k.startswith(nest) for k in flat)), None
    )
    if nest is None:
        return flat
    inner = {k[len(nest) :]: v for k, v in flat.items() if k.startswith(nest)}
    return open_nests(inner)
