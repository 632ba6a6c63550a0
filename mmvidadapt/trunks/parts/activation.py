"""Activations of the trunks."""

from functools import partial
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .lean import Lean
from .tracing import is_traced

QUICK_GELU_SLOPE = 1.702


class QuickGELU(nn.Module):
    """``x * sigmoid(1.702 x)``, the activation of OpenAI's CLIP.

    Written as ``silu(1.702 x) / 1.702``: the same function, but autograd
    keeps one tensor of the input's size instead of two, and the backward
    pass is a single kernel.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Activate x of any shape."""
        scaled = x * QUICK_GELU_SLOPE  # (..., C)
        out = F.silu(scaled, inplace=not scaled.requires_grad)
        return out.div_(QUICK_GELU_SLOPE)


class SwiGLU(nn.Module):
    """``silu(gate) * up`` of the halves of the channels, normed if wanted.

    Proposed in `GLU Variants Improve Transformer
    <https://arxiv.org/abs/2002.05202>`_; the norm is EVA-02's.

    Args:
        norm (nn.LayerNorm, optional): Of the product. Defaults to None.
    """

    def __init__(self, norm: Optional[nn.LayerNorm] = None) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Activate x, (..., 2D) -> (..., D)."""
        gate, up = x.chunk(2, dim=-1)  # (..., D) each
        out = F.silu(gate) * up  # (..., D)
        return out if self.norm is None else self.norm(out)  # (..., D)


class LeanSwiGLU(Lean, SwiGLU):
    """Lean twin of :class:`SwiGLU`: for backward it keeps its input alone."""

    def forward(self, x: Tensor) -> Tensor:
        """Activate x, (..., 2D) -> (..., D)."""
        if is_traced() or not (torch.is_grad_enabled() and x.requires_grad):
            return super().forward(x)
        return checkpoint(
            super().forward,
            x,
            use_reentrant=False,
            preserve_rng_state=False,
        )


GATED = 'swiglu'  # its layer before gives gate and up, twice the channels
ACTIVATIONS = {
    GATED: LeanSwiGLU,
    'quick_gelu': QuickGELU,
    'gelu': nn.GELU,
    'gelu_tanh': partial(nn.GELU, approximate='tanh'),
}
