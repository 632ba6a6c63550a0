"""Activations of the trunks."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

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


ACTIVATIONS = {
    'quick_gelu': QuickGELU,
    'gelu': nn.GELU,
    'gelu_tanh': partial(nn.GELU, approximate='tanh'),
}
