"""Rotary positions in time and space, of V-JEPA 2 and 2.1 and of probes.

After `RoFormer <https://arxiv.org/abs/2104.09864>`_. Of the d channels of a
head, a third each (down to an even number) belongs to the step, the row and
the column of a token; what is left over stays. Letters: T steps, H rows and W
columns of tokens, L = T H W in this order, n channels of an axis.
"""

from functools import partial
from typing import Dict, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

from mmvidadapt.utils.check_choices import check_choices

from .lean import Lean
from .rotary import Turn
from .rotary_tables import RotaryTables
from .tracing import is_traced

BASE = 10000.0


class Rule(NamedTuple):
    """Distinguish the positions of the trunks and of probes.

    Args:
        tiled (bool): Whether the n/2 angles of an axis are tiled over its
            channels, ``f0 f1 .. f0 f1 ..``, although neighbours are paired,
            so that the two of a pair have different angles and the result is
            no rotation. Else each is repeated, ``f0 f0 f1 f1 ..``.
        grid (int, optional): Rows and columns of the grid whose first and
            last ones those of any grid are placed at; steps are counted.
            Defaults to None: rows and columns are counted, too.
    """

    tiled: bool
    grid: Optional[int] = None


RULES: Dict[str, Rule] = {
    'vjepa2': Rule(tiled=True),
    'vjepa2.1': Rule(tiled=False, grid=16),
    'counted': Rule(tiled=False),  # of probes on image trunks
}


def positions3d(
    size: Tuple[int, int, int], grid: Optional[int] = None
) -> Tensor:
    """Place tokens in time and space.

    Args:
        size (Tuple[int, int, int]): Steps T, rows H and columns W.
        grid (int, optional): See :class:`Rule`. Defaults to None.

    Returns:
        Tensor: Step, row and column of every token, ``(L, 3)`` in float64.
    """
    steps, *places = (torch.arange(n).double() for n in size)
    if grid is not None:
        places = [i * (grid - 1) / max(len(i) - 1, 1) for i in places]
    axes = torch.meshgrid(steps, *places, indexing='ij')  # (T, H, W) each
    return torch.stack(axes, dim=-1).flatten(0, 2)  # (L, 3)


def angles3d(
    kind: str, size: Tuple[int, int, int], head_dims: int, copies: int = 1
) -> Tensor:
    """Compute an angle for every channel of every token.

    Args:
        kind (str): Name in :data:`RULES`.
        size (Tuple[int, int, int]): Steps T, rows H and columns W.
        head_dims (int): Channels d of a head.
        copies (int): Tokens K of every place, L of each one after the other.
            Defaults to 1.

    Returns:
        Tensor: ``(K*L, d)`` in float64, zero for the channels that stay.
    """
    rule, half = RULES[kind], head_dims // 3 // 2
    omega = BASE ** -(torch.arange(half).double() / half)  # (n/2,)
    places = positions3d(size, rule.grid)  # (L, 3)
    angles = places[..., None] * omega  # (L, 3, n/2)
    if rule.tiled:
        angles = angles.repeat(1, 1, 2)  # (L, 3, n)
    else:
        angles = angles.repeat_interleave(2, dim=-1)  # (L, 3, n)
    angles = angles.flatten(1).repeat(copies, 1)  # (K*L, 3n)
    return nn.functional.pad(angles, (0, head_dims - angles.shape[1]))


def quarter_turn(x: Tensor) -> Tensor:
    """Turn the pairs of neighbours by 90 degrees: (-x1, x0), (..., d)."""
    pairs = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1)  # (..., d/2, 2)
    return pairs.flatten(-2)  # (..., d)


class Rotary3D(RotaryTables):
    """``x cos a + turned(x) sin a``: turn queries and keys of a clip.

    One for all blocks of a trunk: its tables are computed once.

    Args:
        kind (str): Whose rule: ``'vjepa2'``, ``'vjepa2.1'``, or
            ``'counted'``, pairs that are rotated by the numbers of step, row
            and column.
        size (Tuple[int, int, int]): Steps T, rows H and columns W of tokens.
        head_dims (int): Channels d of a head, even and at least 6.
        copies (int): See :func:`angles3d`. Defaults to 1.

    Raises:
        ValueError: On an unknown kind, or heads of other channels.
    """

    def __init__(
        self,
        kind: str,
        size: Tuple[int, int, int],
        head_dims: int,
        copies: int = 1,
    ) -> None:
        check_choices('rotary', [kind], tuple(RULES))
        if head_dims % 2 or head_dims < 6:
            raise ValueError(
                f'rotary={kind!r}: a head has {head_dims} channels; positions '
                'in time and space need an even number of at least 6. Change '
                'num_heads.'
            )
        super().__init__(partial(angles3d, kind, size, head_dims, copies))
        self.kind, self.size = kind, tuple(size)

    def forward(self, x: Tensor) -> Tensor:
        """Turn queries or keys (S, heads, L, d)."""
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)  # (L, d)
        return x * cos + quarter_turn(x) * sin  # (S, heads, L, d)

    def extra_repr(self) -> str:
        """Show the settings when printed."""
        return f'{self.kind}, size={self.size}'


class LeanRotary3D(Lean, Rotary3D):
    """Lean twin of :class:`Rotary3D`: one new tensor, none kept."""

    def forward(self, x: Tensor) -> Tensor:
        """Turn queries or keys (S, heads, L, d)."""
        if is_traced():
            return super().forward(x)
        return Turn.apply(x, self.turn)  # (S, heads, L, d)

    def turn(self, x: Tensor, back: bool = False) -> Tensor:
        """Turn a copy of x, or a gradient back, (S, heads, L, d)."""
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)  # (L, d)
        out = x * cos  # (S, heads, L, d)
        even, odd = slice(None, None, 2), slice(1, None, 2)
        sign, of_even, of_odd = -1, even, odd
        if back:  # the same matrix, transposed
            sign, of_even, of_odd = 1, odd, even
        pairs = x[..., odd], x[..., even]  # (S, heads, L, d/2) each
        out[..., even].addcmul_(pairs[0], sin[:, of_even], value=sign)
        out[..., odd].addcmul_(pairs[1], sin[:, of_odd], value=-sign)
        return out
