"""Attention in windows that keeps no scores for the backward pass."""

from typing import Any, Iterator, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .lean import Lean
from .lean_attention import attend
from .linear import Linear
from .window_attention import FORBIDDEN, WindowAttention

CHUNK = 1 << 20  # scores that are formed at once, at most
Part = Tuple[slice, Tensor]


class _WindowAttention(torch.autograd.Function):
    """Attention with a relative bias; scores are computed again.

    It keeps queries, keys and values. The scores of Swin, 12
    times as many numbers as its tokens, are formed some windows at a time.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        table: Tensor,
        index: Tensor,
        regions: Optional[Tensor],
        scale: float,
    ) -> Tensor:
        """Attend in all windows."""
        ctx.save_for_backward(q, k, v, table, index, regions)
        ctx.scale = scale
        return _attend(q, k, v, table, index, regions, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Form the scores again, some windows at a time."""
        q, k, v, table, index, regions = ctx.saved_tensors
        exact = torch.promote_types(q.dtype, torch.float32)
        heads = table.shape[1]
        total = torch.zeros(heads, *index.shape, dtype=exact, device=q.device)
        grads = [torch.empty_like(t) for t in (q, k, v)]
        grad = grad.transpose(1, 2)
        for rows, bias in _parts(q, table, index, regions):
            part = [t[rows] for t in (q, k, v, grad)]
            found = _differentiate(*part, bias, ctx.scale)
            for whole, one in zip(grads, found):
                whole[rows] = one
            total += found[3]
        grad_table = None
        if ctx.needs_input_grad[3]:
            grad_table = torch.zeros_like(table, dtype=exact)
            grad_table.index_add_(0, index.flatten(), total.flatten(1).t())
            grad_table = grad_table.to(table.dtype)
        return (*grads, grad_table, None, None, None)


def _differentiate(
    q: Tensor, k: Tensor, v: Tensor, grad: Tensor, bias: Tensor, scale: float
) -> Tuple[Tensor, ...]:
    """Differentiate q, k, v and, summed over windows, the bias."""
    exact = torch.promote_types(q.dtype, torch.float32)
    shape = q.shape  # (windows, heads, N, d)
    scaled, k, v, grad = (t.flatten(0, 1) for t in (q * scale, k, v, grad))
    if q.dtype == bias.dtype:
        bias = bias.repeat(shape[0], 1, 1)
        scores = bias.baddbmm_(scaled, k.transpose(1, 2))  # (S*heads, N, N)
    else:
        scores = (scaled @ k.transpose(1, 2)).to(exact)
        scores = scores.unflatten(0, shape[:2]).add_(bias).flatten(0, 1)
    weights = scores.softmax(-1)  # (windows * heads, N, N)
    # Forbidden tokens have a weight of exp(-100): products of so small
    # numbers are slow, and zero is as good.
    weights = F.threshold_(weights, torch.finfo(exact).tiny, 0.0)
    del scores, bias
    grad_v = weights.to(q.dtype).transpose(1, 2) @ grad  # (S*heads, N, d)
    grad_scores = torch.ops.aten._softmax_backward_data(
        (grad @ v.transpose(1, 2)).to(exact), weights, -1, exact
    )
    del weights
    grad_bias = grad_scores.unflatten(0, shape[:2])
    grad_bias = grad_bias[0] if shape[0] == 1 else grad_bias.sum(0)
    grad_scores = grad_scores.to(q.dtype)
    grad_q = (grad_scores @ k).mul_(scale)  # (S*heads, N, d)
    grad_k = grad_scores.transpose(1, 2) @ scaled  # (S*heads, N, d)
    grads = (t.view(shape) for t in (grad_q, grad_k, grad_v))
    return (*grads, grad_bias)


def _attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    table: Tensor,
    index: Tensor,
    regions: Optional[Tensor],
    scale: float,
) -> Tensor:
    """Attend window by window; (S, N, heads, d)."""
    out = torch.empty_like(q.transpose(1, 2))  # (S, N, heads, d)
    for rows, bias in _parts(q, table, index, regions, len(q)):
        out[rows] = F.scaled_dot_product_attention(
            *(t[rows] for t in (q, k, v)),
            bias[None].to(q.dtype),
            scale=scale,
        ).transpose(1, 2)
    return out


def _parts(
    q: Tensor,
    table: Tensor,
    index: Tensor,
    regions: Optional[Tensor],
    most: int = 0,
) -> Iterator[Part]:
    """Yield windows that share a bias (heads, N, N), some at a time."""
    heads, length = table.shape[1], index.shape[0]
    shared = table[index].permute(2, 0, 1)  # (heads, N, N)
    shared = shared.contiguous()
    if regions is not None:
        for g, region in enumerate(regions):
            other = region[:, None] != region  # (N, N)
            bias = shared + other.to(shared.dtype) * FORBIDDEN
            yield slice(g, None, len(regions)), bias
        return
    step = most or max(1, CHUNK // (heads * length**2))
    for start in range(0, len(q), step):
        yield slice(start, start + step), shared


def window_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    table: Tensor,
    index: Tensor,
    regions: Optional[Tensor],
    scale: Optional[float] = None,
) -> Tensor:
    """Attend within windows whose tokens have a relative bias.

    Args:
        q (Tensor): Queries ``(S, heads, N, d)``, S windows.
        k (Tensor): Keys of the same shape.
        v (Tensor): Values of the same shape.
        table (Tensor): Bias of every offset, ``(offsets, heads)``.
        index (Tensor): Offset of every pair of tokens, ``(N, N)``.
        regions (Tensor, optional): Region of every token of G windows,
            ``(G, N)``, which repeat clip by clip: tokens of different
            regions do not see one another. None: all see all.
        scale (float, optional): Factor of the scores. Defaults to None:
            ``d ** -0.5``.

    Returns:
        Tensor: ``(S, N, heads, d)``.
    """
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    arguments = (q, k, v, table, index, regions, scale)
    if torch.is_grad_enabled():
        return _WindowAttention.apply(*arguments)
    return _attend(*arguments)


class LeanWindowAttention(Lean, WindowAttention):
    """Lean twin of :class:`WindowAttention`, for windows side by side."""

    Linear = Linear

    def attend(self, x: Tensor, bias: Tensor) -> Tensor:
        """Attend without the output projection.

        Args:
            x (Tensor): ``(S, L, G, C)``: G sequences side by side.
            bias (Tensor): ``(G, heads, L, L)``, or ``(1, heads, L, L)``.

        Returns:
            Tensor: ``(S, L, G, C)``.
        """
        bias = bias.expand(x.shape[2], -1, -1, -1)  # (G, heads, L, L)
        bias = bias.flatten(0, 1)[None]  # (1, G * heads, L, L)
        return attend(
            x, self.qkv.weight, self.qkv.bias, self.num_heads, mask=bias
        )
