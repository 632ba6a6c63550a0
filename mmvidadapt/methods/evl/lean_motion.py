"""EVL's motion without a gathered table, an (N, N, C) tensor."""

from typing import Any, Optional, Tuple

import torch
from einops import rearrange
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.linear import product
from mmvidadapt.trunks.parts.precision import autocast_cast
from mmvidadapt.trunks.parts.tracing import is_traced

from .block import patches_of_clips
from .decoder import Grid, NeighbourMotion


def lean_neighbour_attention(
    q: Tensor, k: Tensor, num_frames: int, num_prefix_tokens: int = 1
) -> Tensor:
    """Compute :func:`neighbour_attention`, one head after the other."""
    q, k = patches_of_clips(q, k, num_frames, num_prefix_tokens)
    back = _mean_attention(q[:, 1:], k[:, :-1])
    forth = _mean_attention(q[:, :-1], k[:, 1:])
    return torch.stack([back, forth], dim=1)  # (B, 2, T-1, N, N)


def _mean_attention(q: Tensor, k: Tensor) -> Tensor:
    """Average the attention of all heads, one at a time: (B, T-1, N, N)."""
    heads, scale = q.shape[2], q.shape[-1] ** -0.5
    mean = 0
    for qh, kh in zip(q.unbind(2), k.unbind(2)):  # (B, T-1, N, d)
        mean = mean + ((qh * scale) @ kh.transpose(-2, -1)).softmax(-1)
    return mean / heads


def _columns(grid: Grid, device: torch.device) -> Tensor:
    """Place each key j in the part of the table that a query row reads.

    Offsets ``(i_q - i_k, j_q - j_k)`` index a table of ``2h-1`` times
    ``2w-1`` rows. Queries of grid row i read the ``h`` blocks of rows
    ``i .. i+h-1`` of it; within these, the place depends on the query's
    column and on the key alone: ``(w, N)``.
    """
    h, w = grid
    i, j = (torch.arange(side, device=device) for side in grid)
    rows = h - 1 - i[:, None]  # (h, 1)
    shift = j[:, None, None] - j + w - 1  # (w, 1, w)
    return (rows * (2 * w - 1) + shift).flatten(1)  # (w, h*w)


def _spread(attention: Tensor, grid: Grid) -> Tensor:
    """Sort attention (M, N, N) by offset: (h, M*w, h*(2w-1))."""
    h, w = grid
    rows = rearrange(attention, 'm (h w) n -> h m w n', h=h)  # (h, M, w, N)
    columns = _columns(grid, attention.device).expand(rows.shape)
    width = h * (2 * w - 1)
    spread = rows.new_zeros(*rows.shape[:-1], width)  # (h, M, w, width)
    return spread.scatter_(-1, columns, rows).flatten(1, 2)


def _blocks(table: Tensor, grid: Grid) -> list:
    """Cut out what the queries of each grid row read, h*(2w-1) rows each."""
    h, width = grid[0], 2 * grid[1] - 1
    return [table[i * width : (i + h) * width] for i in range(h)]


def _relative_sum(attention: Tensor, table: Tensor, grid: Grid) -> Tensor:
    rows = zip(_spread(attention, grid), _blocks(table, grid))
    out = [product(row, block.t()) for row, block in rows]
    out = torch.stack(out)  # (h, M*w, C)
    return rearrange(out, 'h (m w) c -> m (h w) c', w=grid[1])


class _RelativeSum(torch.autograd.Function):
    """:func:`relative_sum`; keeps the attention, not what is made of it."""

    @staticmethod
    def forward(
        ctx: Any, attention: Tensor, table: Tensor, grid: Grid
    ) -> Tensor:
        """Weigh the rows of the table."""
        ctx.save_for_backward(attention, table)
        ctx.grid = grid
        return _relative_sum(attention, table, grid)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Differentiate row by row of the grid."""
        (attention, table), grid = ctx.saved_tensors, ctx.grid
        grads = rearrange(
            grad, 'm (h w) c -> h (m w) c', h=grid[0]
        )  # (h, M*w, C)
        grad_attention = grad_table = None
        if ctx.needs_input_grad[1]:
            grad_table = torch.zeros_like(table)
            spread = _spread(attention, grid)  # (h, M*w, h*(2w-1))
            for part, row, g in zip(_blocks(grad_table, grid), spread, grads):
                part += product(row.mT, g.mT)
        if ctx.needs_input_grad[0]:
            rows = torch.stack(
                [product(g, b) for g, b in zip(grads, _blocks(table, grid))]
            ).unflatten(1, (-1, grid[1]))  # (h, M, w, h*(2w-1))
            columns = _columns(grid, grad.device).expand(*rows.shape[:3], -1)
            grad_attention = rows.gather(-1, columns)  # (h, M, w, N)
            grad_attention = grad_attention.movedim(0, 1).flatten(1, 2)
        return grad_attention, grad_table, None


def relative_sum(attention: Tensor, table: Tensor, grid: Grid) -> Tensor:
    """Sum the rows of a table of offsets, weighed by attention.

    ``out[p] = sum_j attention[p, j] * table[offset(p, j)]``. The table of a
    query is never gathered (an ``(N, N, C)`` tensor); the attention is sorted
    by offset instead, and every grid row is one product of matrices.

    Args:
        attention (Tensor): ``(M, N, N)``.
        table (Tensor): One row for every offset of two patches,
            ``((2h-1) * (2w-1), C)``.
        grid (Tuple[int, int]): Patches along height h and width w.

    Returns:
        Tensor: ``(M, N, C)``.
    """
    attention, table = autocast_cast(attention), autocast_cast(table)
    if torch.is_grad_enabled() and not is_traced():
        return _RelativeSum.apply(attention, table, grid)
    return _relative_sum(attention, table, grid)


class LeanNeighbourMotion(Lean, NeighbourMotion):
    """Lean twin of :class:`NeighbourMotion`, see :func:`relative_sum`."""

    def sum(self, attention: Tensor, table: Tensor) -> Tensor:
        """Sum offsets by attention, (B, T-1, N, N) -> (B, T-1, N, C)."""
        if not attention.shape[1]:  # one frame; DDP wants a gradient of zero
            return attention[..., :1] * table[0]
        out = relative_sum(attention.flatten(0, 1), table, self.grid)
        frames = attention.shape[1]
        return rearrange(out, '(b t) n c -> b t n c', t=frames)
