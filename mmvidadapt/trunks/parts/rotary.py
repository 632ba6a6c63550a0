"""Rotary positions in space: pairs of channels turn by where a patch lies.

Proposed in `RoFormer <https://arxiv.org/abs/2104.09864>`_; over rows and
columns each trunk has its own angles and its own pairs. Letters: H rows and W
columns of N patches, P tokens before them, d channels of a head.
"""

import math
from functools import partial
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmvidadapt.utils.check_choices import check_choices

from .lean import Lean
from .rotary_tables import RotaryTables
from .tracing import is_traced


class Rule(NamedTuple):
    """Angles and pairs of a trunk.

    Args:
        base (float): Its powers divide the coordinates.
        place (Callable): Turns the numbers of rows or columns, the grid that
            they are scaled to (None: not at all) and the number of the first
            into coordinates.
        grid (int, optional): That grid, where none is given.
            Defaults to None.
        halves (bool): Whether channel i is paired with channel i + d/2, else
            with its neighbour. Defaults to False.
        columns_first (bool): Whether the first angles are of the columns.
            Defaults to False.
        after_cls (bool): Whether counting starts at 1 where there is a class
            token. Defaults to False.
    """

    base: float
    place: Callable[[Tensor, Optional[int], int], Tensor]
    grid: Optional[int] = None
    halves: bool = False
    columns_first: bool = False
    after_cls: bool = False


def _centred(i: Tensor, grid: Optional[int], first: int) -> Tensor:
    """Place the centres of patches between -2 pi and 2 pi."""
    return 2 * math.pi * (2 * (i + 0.5) / len(i) - 1)  # (n,)


def _counted(i: Tensor, grid: Optional[int], first: int) -> Tensor:
    """Count patches, as if there were so many as on a grid."""
    scale = 1 if grid is None else grid / len(i)
    return (i + first) * scale  # (n,)


ROTARY: Dict[str, Rule] = dict(
    dinov3=Rule(100.0, _centred, halves=True),
    eva02=Rule(10000.0, _counted, grid=16),
    pe=Rule(10000.0, _counted, columns_first=True, after_cls=True),
)


def angles(
    kind: str,
    patches: Tuple[int, int],
    head_dims: int,
    cls_token: bool,
    grid: Optional[int] = None,
) -> Tensor:
    """Compute the angles by which the pairs of a patch turn.

    Args:
        kind (str): Name in :data:`ROTARY`.
        patches (Tuple[int, int]): Rows H and columns W of patches.
        head_dims (int): Channels d of a head, a multiple of 4.
        cls_token (bool): Whether there is a class token.
        grid (int, optional): Side of the grid that positions are scaled to.
            Defaults to None: that of the rule.

    Returns:
        Tensor: ``(H*W, d/2)`` in float64.
    """
    rule, bands = ROTARY[kind], head_dims // 4
    first = int(rule.after_cls and cls_token)
    rows, columns = (
        rule.place(torch.arange(n).double(), grid or rule.grid, first)
        for n in patches
    )  # (H,), (W,)
    scale = rule.base ** -(torch.arange(bands).double() / bands)  # (d/4,)
    y = (rows[:, None] * scale)[:, None].expand(-1, len(columns), -1)
    x = (columns[:, None] * scale).expand(len(rows), -1, -1)  # (H, W, d/4)
    both = (x, y) if rule.columns_first else (y, x)
    return torch.cat(both, dim=-1).flatten(0, 1)  # (H*W, d/2)


class Rotary(RotaryTables):
    """Turn queries and keys of patches; tokens around them stay.

    One for all blocks of a trunk: its tables are computed once.

    Args:
        kind (str): Whose angles: ``'dinov3'``, ``'eva02'`` or ``'pe'``.
        patches (Tuple[int, int]): Rows H and columns W of patches.
        head_dims (int): Channels d of a head, a multiple of 4.
        num_prefix_tokens (int): Tokens P before the patches.
        cls_token (bool): Whether one of them is a class token.
        grid (int, optional): Side of the grid that positions are scaled to.
            Defaults to None: that of the rule; PE's counts patches, while
            timm scales them to the grid of the pretraining.

    Raises:
        ValueError: On an unknown kind, or heads of other channels.
    """

    def __init__(
        self,
        kind: str,
        patches: Tuple[int, int],
        head_dims: int,
        num_prefix_tokens: int,
        cls_token: bool,
        grid: Optional[int] = None,
    ) -> None:
        check_choices('rotary', [kind], tuple(ROTARY))
        if head_dims % 4:
            raise ValueError(
                f'rotary={kind!r}: a head has {head_dims} channels; rotary '
                'positions need a multiple of 4. Change num_heads.'
            )
        sizes = patches, head_dims, cls_token, grid
        super().__init__(partial(angles, kind, *sizes))  # (N, d/2)
        self.kind, self.prefix = kind, num_prefix_tokens
        self.grid = grid or ROTARY[kind].grid

    def pairs(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """View the first and the second channels of all pairs, (..., d/2)."""
        if ROTARY[self.kind].halves:
            first, second = x.chunk(2, dim=-1)  # (..., d/2) each
            return first, second
        return x[..., ::2], x[..., 1::2]  # (..., d/2) each

    def join(self, first: Tensor, second: Tensor) -> Tensor:
        """Undo :meth:`pairs`."""
        if ROTARY[self.kind].halves:
            return torch.cat([first, second], dim=-1)  # (..., d)
        return torch.stack([first, second], dim=-1).flatten(-2)  # (..., d)

    def forward(self, x: Tensor) -> Tensor:
        """Turn queries or keys of a frame.

        Args:
            x (Tensor): ``(S, heads, L, d)``: P tokens, N patches and others
                behind them, or the first of the P tokens alone.

        Returns:
            Tensor: Of the same shape and type.
        """
        if x.shape[-2] <= self.prefix:
            return x
        first, last = self.prefix, self.prefix + len(self.cos)
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)  # (N, d/2)
        a, b = self.pairs(x[..., first:last, :])  # (S, heads, N, d/2) each
        turned = self.join(a * cos - b * sin, b * cos + a * sin)
        parts = x[..., :first, :], turned, x[..., last:, :]
        return torch.cat(parts, dim=-2)  # (S, heads, L, d)

    def extra_repr(self) -> str:
        """Show the settings when printed."""
        return f'{self.kind}, patches={len(self.cos)}, prefix={self.prefix}'


class Turn(torch.autograd.Function):
    """Turn pairs in one new tensor; the gradient turns back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, turn: Callable) -> Tensor:
        """Turn x, (S, heads, L, d)."""
        ctx.turn = turn
        return turn(x)  # (S, heads, L, d)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, None]:
        """Turn the gradient back."""
        return ctx.turn(grad, back=True), None


class LeanRotary(Lean, Rotary):
    """Lean twin of :class:`Rotary`: one new tensor, none kept."""

    def forward(self, x: Tensor) -> Tensor:
        """Turn queries or keys of a frame, (S, heads, L, d)."""
        if is_traced() or x.shape[-2] <= self.prefix:
            return super().forward(x)
        return Turn.apply(x, self.turn)  # (S, heads, L, d)

    def turn(self, x: Tensor, back: bool = False) -> Tensor:
        """Turn a copy of x, forth or back, (S, heads, L, d)."""
        rows = slice(self.prefix, self.prefix + len(self.cos))
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)  # (N, d/2)
        sin = -sin if back else sin
        out = x.clone()  # (S, heads, L, d)
        a, b = self.pairs(x[..., rows, :])  # (S, heads, N, d/2) each
        first, second = self.pairs(out[..., rows, :])  # views of out
        first.mul_(cos).addcmul_(b, sin, value=-1)
        second.mul_(cos).addcmul_(a, sin)
        return out
