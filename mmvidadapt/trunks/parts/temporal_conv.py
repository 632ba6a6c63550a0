"""Depthwise convolution over time."""

from einops import rearrange
from torch import Tensor, nn


class TemporalConv(nn.Conv1d):
    """Depthwise convolution over time, kernel 3, the same for all tokens.

    Args:
        embed_dims (int): Number of channels C.
    """

    def __init__(self, embed_dims: int) -> None:
        super().__init__(
            embed_dims, embed_dims, 3, padding=1, groups=embed_dims
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the tokens of clips, (B, T, N, C)."""
        y = super().forward(rearrange(x, 'b t n c -> (b n) c t'))
        return rearrange(y, '(b n) c t -> b t n c', b=x.shape[0])
