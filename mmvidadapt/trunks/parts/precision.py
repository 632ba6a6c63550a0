"""Cast as autocast would, once instead of once per consumer."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def autocast_cast(x: Tensor) -> Tensor:
    """Cast to the autocast dtype where autocast is on.

    A tensor read by several matrix products is cast by each of them; casting
    it first moves it once.

    Args:
        x (Tensor): Floating-point tensor of any shape.

    Returns:
        Tensor: ``x`` itself without autocast.
    """
    device = x.device.type
    if device == 'meta' or not torch.is_autocast_enabled(device):
        return x
    return x.to(torch.get_autocast_dtype(device))


def full_precision(x: Tensor) -> AbstractContextManager:
    """Switch autocast off on the device of x; the meta device has none."""
    device = x.device.type
    if device == 'meta':
        return nullcontext()
    return torch.autocast(device, enabled=False)
