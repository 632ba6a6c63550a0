"""Lay parameters of flax models out as torch does."""

import re
from typing import Any, Dict, Mapping, Tuple

from torch import Tensor

from ..files.arrays import open_nests


def is_flax(names: Mapping[str, Any]) -> bool:
    """Check whether names are paths of flax parameters."""
    return any(re.search(r'/(kernel|scale)$', name) for name in names)


def to_torch(state_dict: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Lay flax parameters out as torch does; ``a/b/kernel`` is ``a.b.weight``.

    Args:
        state_dict (Dict[str, Tensor]): Parameters by their paths.

    Returns:
        Dict[str, Tensor]: Parameters by dotted names.
    """
    return dict(_convert(*entry) for entry in open_nests(state_dict).items())


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
