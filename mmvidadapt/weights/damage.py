"""Find damaged tensors: numbers of another kind, infinite or none (NaN)."""

from typing import List, Mapping

import torch
from torch import Tensor


def find_damage(
    own: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    exact: bool = False,
) -> List[str]:
    """Find tensors of another kind of number, or of no numbers.

    Args:
        own (Mapping[str, Tensor]): State of the model.
        weights (Mapping[str, Tensor]): What it is to become.
        exact (bool): Whether another precision counts. Defaults to False.

    Returns:
        List[str]: A line for every tensor that no training leaves behind.
    """
    lines = []
    for name, value in weights.items():
        if name not in own:
            continue
        precise = not exact or value.dtype == own[name].dtype
        if _kind(value) != _kind(own[name]) or not precise:
            lines.append(
                f'{name}: {value.dtype} in the weights, '
                f'{own[name].dtype} in the model'
            )
            continue
        bad = count_not_finite(value)
        if bad and bad > count_not_finite(own[name]):
            lines.append(f'{name}: {bad} of {value.numel()} are not finite')
    return lines


def _kind(value: Tensor) -> str:
    """Name the kind of numbers of a tensor."""
    if value.is_quantized or value.is_sparse:
        return 'packed'
    if value.is_floating_point():
        return 'float'
    return 'complex' if value.is_complex() else 'integer'


def count_not_finite(value: Tensor) -> int:
    """Count what is infinite or not a number.

    Args:
        value (Tensor): Numbers of any kind.

    Returns:
        int: 0 for whole numbers and for tensors that hold none in memory.
    """
    if _all_finite(value):
        return 0
    if value.dtype.itemsize == 1:  # torch knows no more of these
        return int(value.isnan().sum())
    return value.numel() - int(torch.isfinite(value).sum())


def has_nan(value: Tensor) -> bool:
    """Check whether something is not a number.

    Args:
        value (Tensor): Numbers of any kind.

    Returns:
        bool: False for whole numbers and for tensors that hold none.
    """
    return not _all_finite(value) and bool(value.isnan().any())


def _all_finite(value: Tensor) -> bool:
    """Check in one pass, by a sum, that all numbers are finite.

    That of finite numbers may be infinite; then they have to be looked at.
    """
    if (
        value.is_meta
        or value.layout is not torch.strided
        or not value.is_floating_point()
    ):
        return True
    if value.dtype.itemsize == 1:
        return False
    wide = torch.promote_types(value.dtype, torch.float32)
    return bool(torch.isfinite(value.detach().sum(dtype=wide)))
