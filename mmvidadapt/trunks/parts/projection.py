"""The last layer of an attention or MLP, with what trunks put around it."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .lean import Lean
from .linear import as_built, linear


class Projection(nn.Linear):
    """``gamma * (W norm(x) + b)``: a layer with a norm before, a scale after.

    The norm is EVA-02's `sub-LN <https://arxiv.org/abs/2303.11331>`_, the
    scale `LayerScale <https://arxiv.org/abs/2103.17239>`_ that is trained; a
    frozen one is folded into W and b.

    Args:
        in_features (int): Channels of the input.
        out_features (int): Channels C of the output.
        eps (float, optional): Epsilon of the norm. Defaults to None: there
            is none.
        scale (bool): Whether there is a ``gamma``. Defaults to False.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        eps: Optional[float] = None,
        scale: bool = False,
    ) -> None:
        super().__init__(in_features, out_features)
        self.norm = None if eps is None else nn.LayerNorm(in_features, eps=eps)
        self.gamma = nn.Parameter(torch.ones(out_features)) if scale else None

    def before(self, x: Tensor) -> Tensor:
        """Norm the input, if there is a norm."""
        return x if self.norm is None else self.norm(x)  # (..., C)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) to (..., C)."""
        out = F.linear(self.before(x), self.weight, self.bias)  # (..., C)
        return out if self.gamma is None else out * self.gamma  # (..., C)


class LeanProjection(Lean, Projection):
    """Lean twin of :class:`Projection`: the faster product."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) to (..., C)."""
        out = linear(self.before(x), self.weight, self.bias)  # (..., C)
        return out if self.gamma is None else out * self.gamma  # (..., C)


def has_one_matrix(layer: nn.Module) -> bool:
    """Check whether a layer is its matrix and bias, behind a norm perhaps."""
    plain = type(layer) in (Projection, LeanProjection)
    return as_built(layer) or (plain and layer.gamma is None)
