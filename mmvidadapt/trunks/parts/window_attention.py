"""Attention in windows with a table of relative position bias, as in Swin."""

import math
from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

FORBIDDEN = -100.0  # added to the scores of tokens that are no neighbours


class WindowAttention(nn.Module):
    """Multi-head attention in windows with a relative position bias.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        window (Sequence[int]): Sides of a window: height and width, or
            frames, height and width.
        scale (float, optional): Factor of the scores.
            Defaults to None: ``(C / heads) ** -0.5``.
    """

    Linear = nn.Linear

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window: Sequence[int],
        scale: Optional[float] = None,
    ) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, scale
        rows = math.prod(2 * side - 1 for side in window)
        self.relative_position_bias_table = nn.Parameter(
            torch.empty(rows, num_heads)
        )
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.qkv = self.Linear(embed_dims, 3 * embed_dims)
        self.proj = self.Linear(embed_dims, embed_dims)

    def bias(self, index: Tensor) -> Tensor:
        """Look up the bias of every pair, (L, L) to (heads, L, L)."""
        return self.relative_position_bias_table[index].permute(2, 0, 1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attend from every token of a window to all of it.

        Args:
            x (Tensor): S windows of L tokens, ``(S, L, C)``.
            bias (Tensor): Added to the scores, ``(G, heads, L, L)``: of G
                windows, which repeat frame by frame or clip by clip.

        Returns:
            Tensor: ``(S, L, C)``.
        """
        q, k, v = rearrange(
            self.qkv(x),
            's l (three m d) -> three s m l d',
            three=3,
            m=self.num_heads,
        )  # (S, heads, L, d) each
        if bias.shape[0] > 1:
            times = x.shape[0] // bias.shape[0]
            bias = bias.repeat(times, 1, 1, 1)  # (S, heads, L, L)
        out = F.scaled_dot_product_attention(
            q, k, v, bias.to(q.dtype), scale=self.scale
        )  # (S, heads, L, d)
        return self.proj(rearrange(out, 's m l d -> s l (m d)'))


def relative_index(window: Sequence[int], full: Sequence[int]) -> Tensor:
    """Number the rows of the bias table for each pair of tokens, (N, N).

    Args:
        window (Sequence[int]): Sides of the window, of any number.
        full (Sequence[int]): Those of the window that the table is for.

    Returns:
        Tensor: Rows of a table of ``prod(2 * full - 1)`` rows.
    """
    places = torch.stack(
        torch.meshgrid(*map(torch.arange, window), indexing='ij')
    ).flatten(1)  # (sides, N)
    rows = torch.zeros((), dtype=torch.long)
    for place, side in zip(places, full):
        offset = place[:, None] - place + side - 1  # (N, N)
        rows = rows * (2 * side - 1) + offset
    return rows
