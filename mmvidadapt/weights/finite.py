"""Count numbers that are infinite or none at all (NaN)."""

import torch
from torch import Tensor


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
