"""Parameters of flax models: their files, and their layout in torch."""

import os
import re
import zipfile
from typing import Any, Dict, Iterator, Mapping, Tuple

import numpy as np
import torch
from torch import Tensor

from ..files.archives import check_entries
from ..files.msgpack import Array, read_msgpack

# What stands around the parameters in a training state.
NESTS = ('optimizer/target/', 'opt/target/', 'target/', 'params/')


def read_flax(path: str) -> Dict[str, Tensor]:
    """Read the parameters of a flax checkpoint, ``a/b/kernel`` to tensor.

    Args:
        path (str): A msgpack file; momentum and counters are left out.

    Returns:
        Dict[str, Tensor]: Parameters as flax lays them out.
    """
    arrays = _parameters(dict(_flat(read_msgpack(path))))
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
        entries = _parameters({name: name for name in archive.files})
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


def _parameters(flat: Dict[str, Any]) -> Dict[str, Any]:
    """Open nests, as far as there are any."""
    nest = next(
        (nest for nest in NESTS if any(k.startswith(nest) for k in flat)), None
    )
    if nest is None:
        return flat
    inner = {k[len(nest) :]: v for k, v in flat.items() if k.startswith(nest)}
    return _parameters(inner)


def is_flax(names: Mapping[str, Any]) -> bool:
    """Whether names are paths of flax parameters."""
    return any(re.search(r'/(kernel|scale)$', name) for name in names)


def to_torch(state_dict: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Lay flax parameters out as torch does; ``a/b/kernel`` is ``a.b.weight``.

    Args:
        state_dict (Dict[str, Tensor]): Parameters by their paths.

    Returns:
        Dict[str, Tensor]: Parameters by dotted names.
    """
    return dict(_convert(*entry) for entry in _parameters(state_dict).items())


def _convert(path: str, value: Tensor) -> Tuple[str, Tensor]:
    """Rename and transpose one parameter."""
    *modules, leaf = path.split('/')
    if leaf == 'kernel':
        leaf, value = 'weight', _kernel(modules[-1], value)
    elif leaf == 'scale':
        leaf = 'weight'
    elif leaf == 'bias':
        value = value.flatten()  # (heads, d)
    return '.'.join([*modules, leaf]), value


def _kernel(module: str, kernel: Tensor) -> Tensor:
    """Put the outputs first and join heads."""
    if kernel.ndim >= 4:  # ([t,] h, w, in, out)
        return kernel.permute(-1, -2, *range(kernel.ndim - 2)).contiguous()
    if kernel.ndim == 3:  # out: (heads, d, C), else (C, heads, d)
        kernel = kernel.flatten(*((0, 1) if module == 'out' else (1, 2)))
    return kernel.t().contiguous()
