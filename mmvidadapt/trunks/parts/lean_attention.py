"""Attention along any axis without moving tokens; lean for backward."""

from typing import Optional, Tuple

import torch.nn.functional as F
from torch import Tensor

from .attention import Attention
from .lean import Lean
from .linear import Linear, Remake, linear
from .precision import autocast_cast
from .projection import LeanProjection

Made = Tuple[Optional[Tensor], Optional[Remake]]


def project(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    num_heads: int,
    query: Optional[Tensor] = None,
    made: Made = (None, None),
) -> Tuple[Tensor, ...]:
    """Project to queries, keys and values, see :func:`attend`.

    Args:
        x (Tensor): Keys and values, ``(S, L, ..., C)``.
        weight (Tensor): ``(3C, C)``, rows of q, k and v.
        bias (Tensor): ``(3C,)``.
        num_heads (int): Number of heads.
        query (Tensor, optional): Queries ``(S, M, ..., C)``.
            Defaults to None: ``x``.
        made (Made): What x was made of, and the function that makes it
            again, see :func:`linear`. Defaults to (None, None).

    Returns:
        Tuple[Tensor, ...]: q, k and v, ``(S, ... * heads, L, C / heads)``.
    """
    x = autocast_cast(x)
    own = made if query is None else (None, None)
    query = x if query is None else autocast_cast(query)
    # Three products leave q, k and v contiguous, so that the core can view
    # them as it likes; one product of 3C columns would not.
    return tuple(
        linear(y, w, b, *recipe)
        .reshape(*y.shape[:2], -1, w.shape[0] // num_heads)
        .transpose(1, 2)
        for y, recipe, w, b in zip(
            (query, x, x),
            (own, made, made),
            weight.chunk(3) if weight.ndim == 2 else weight,
            bias.chunk(3) if bias.ndim == 1 else bias,
        )
    )


def attend(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    num_heads: int,
    query: Optional[Tensor] = None,
    mask: Optional[Tensor] = None,
    made: Made = (None, None),
) -> Tensor:
    """Project to queries, keys and values and attend along dimension 1.

    Every dimension between the sequence and the channels is one more batch
    dimension: frames ``(B*T, N, C)`` attend in space, a clip ``(B, T, N, C)``
    attends over time. Only the attention core sees another layout, as views:
    the further dimensions join the heads.

    Args:
        x (Tensor): Keys and values, ``(S, L, ..., C)``.
        weight (Tensor): ``(3C, C)``, rows of q, k and v; or ``(3, D, C)``,
            those of some of the heads.
        bias (Tensor): ``(3C,)``, or ``(3, D)``.
        num_heads (int): Number of heads.
        query (Tensor, optional): Queries ``(S, M, ..., C)``.
            Defaults to None: ``x``.
        mask (Tensor, optional): Added to the scores ``(S, ... * heads, M,
            L)``, to which it is broadcast. Defaults to None.
        made (Made): See :func:`project`. Defaults to (None, None).

    Returns:
        Tensor: Heads side by side, ``(S, M, ..., C)``, or D channels.
    """
    q, k, v = project(x, weight, bias, num_heads, query, made)
    mask = None if mask is None else mask.to(q.dtype)
    out = F.scaled_dot_product_attention(q, k, v, mask)
    return join_heads(out, x if query is None else query)


def join_heads(out: Tensor, query: Tensor) -> Tensor:
    """Put heads side by side, in the shape of the query: (S, M, ..., C)."""
    return out.transpose(1, 2).reshape(*query.shape[:-1], -1)


class LeanAttention(Lean, Attention):
    """Multi-head self-attention along dimension 1, see :func:`attend`."""

    Linear, Projection = Linear, LeanProjection

    def project(
        self,
        x: Tensor,
        query: Optional[Tensor] = None,
        made: Made = (None, None),
        positions: bool = True,
    ) -> Tuple[Tensor, ...]:
        """Project to queries, keys and values (S, heads, L, d)."""
        weight, bias = self.in_proj_weight, self.in_proj_bias
        q, k, v = project(x, weight, bias, self.num_heads, query, made)
        return (*self.place(q, k), v) if positions else (q, k, v)

    def attend(
        self,
        x: Tensor,
        query: Optional[Tensor] = None,
        made: Made = (None, None),
        positions: bool = True,
    ) -> Tensor:
        """Attend, without the output projection."""
        heads = self.project(x, query, made, positions)
        return join_heads(
            F.scaled_dot_product_attention(*heads),
            x if query is None else query,
        )

    def forward(
        self,
        x: Tensor,
        query: Optional[Tensor] = None,
        made: Made = (None, None),
    ) -> Tensor:
        """Attend and project, (S, M, ..., C)."""
        return self.out_proj(self.attend(x, query, made))  # (S, M, ..., C)
