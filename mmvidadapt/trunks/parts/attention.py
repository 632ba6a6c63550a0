"""Multi-head self-attention, in the parameter names of OpenAI's CLIP."""

from typing import Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head self-attention over the tokens of a sequence.

    Parameters are named as in ``nn.MultiheadAttention`` (and so in OpenAI's
    CLIP).

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads; it divides C.
    """

    Linear = nn.Linear

    def __init__(self, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(
                f'num_heads={num_heads} does not divide '
                f'embed_dims={embed_dims}.'
            )
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(
            torch.empty(3 * embed_dims, embed_dims)
        )
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dims))
        self.out_proj = self.Linear(embed_dims, embed_dims)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def place(self, q: Tensor, k: Tensor) -> Tuple[Tensor, Tensor]:
        """Turn queries and keys by positions in space: here they stay.

        Every attention over space calls it, no attention over time does.
        """
        return q, k

    def qkv(self, x: Tensor, positions: bool = True) -> Tuple[Tensor, ...]:
        """Project to queries, keys and values, (S, heads, L, d) each."""
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)  # (S, L, 3C)
        q, k, v = rearrange(
            qkv, 's l (three m d) -> three s m l d', three=3, m=self.num_heads
        )
        return (*self.place(q, k), v) if positions else (q, k, v)

    def forward(self, x: Tensor, positions: bool = True) -> Tensor:
        """Attend from every token to all, (S, L, C)."""
        q, k, v = self.qkv(x, positions)
        out = F.scaled_dot_product_attention(q, k, v)  # (S, heads, L, d)
        return self.out_proj(rearrange(out, 's m l d -> s l (m d)'))
