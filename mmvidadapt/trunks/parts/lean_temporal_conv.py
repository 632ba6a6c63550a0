"""Depthwise convolution over time, without moving tokens."""

import torch
from torch import Tensor

from .lean import Lean
from .temporal_conv import TemporalConv


class LeanTemporalConv(Lean, TemporalConv):
    """Lean twin of :class:`TemporalConv`: three products, no transposition."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the tokens of clips, (B, T, N, C)."""
        before, now, after = self.weight[:, 0].unbind(-1)  # (C,) each
        y = torch.addcmul(self.bias, x, now)  # (B, T, N, C)
        y[:, 1:].addcmul_(x[:, :-1], before)
        y[:, :-1].addcmul_(x[:, 1:], after)
        return y
