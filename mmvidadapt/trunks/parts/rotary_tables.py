"""Keep cosines and sines of rotary positions."""

from typing import Any, Callable

from torch import Tensor, nn
from torch._subclasses import FakeTensor


class RotaryTables(nn.Module):
    """Hold cosines and sines in single precision, whatever a model is cast to.

    They are no part of a state dict, and are computed again where a model
    gets other memory: made on the meta device, its parameters come from a
    checkpoint, its tables from here.

    Args:
        angles (Callable): Computes the angles, in float64.
    """

    def __init__(self, angles: Callable[[], Tensor]) -> None:
        super().__init__()
        self.angles = angles
        table = angles()
        self.register_buffer('cos', table.cos().float(), persistent=False)
        self.register_buffer('sin', table.sin().float(), persistent=False)

    def _apply(self, fn: Callable, recurse: bool = True) -> Any:
        """Move the tables, and compute them anew."""
        super()._apply(fn, recurse)
        device = self.cos.device
        if device.type != 'meta' and not isinstance(self.cos, FakeTensor):
            table = self.angles()
            self.cos = table.cos().float().to(device)
            self.sin = table.sin().float().to(device)
        return self
