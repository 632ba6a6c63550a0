"""Cut frames into windows: shifts and relative positions of Swin."""

from typing import Tuple

import torch
from einops import rearrange
from torch import Tensor

from .window_attention import FORBIDDEN

Grid = Tuple[int, int]
# Of a map: windows one after the other, or side by side.
MAP = 'f (y p) (x q) c'
APART, ASIDE = '(f y x) (p q) c', 'f (p q) (y x) c'


def split_windows(
    x: Tensor, grid: Grid, window: int, shift: int, layout: str = APART
) -> Tensor:
    """Shift frames and cut them into G windows each.

    Args:
        x (Tensor): Tokens ``(F, H*W, C)`` of F frames.
        grid (Tuple[int, int]): H and W, multiples of the window.
        window (int): Side P of a window.
        shift (int): Shift to the upper left, in tokens.
        layout (str): ``APART`` or ``ASIDE``.
            Defaults to '(f y x) (p q) c'.

    Returns:
        Tensor: ``(F*G, P*P, C)``, a window after the other, or aside
        ``(F, P*P, G, C)``: windows are one more batch dimension then.
    """
    x = rearrange(x, 'f (h w) c -> f h w c', h=grid[0])  # (F, H, W, C)
    if shift:
        x = x.roll((-shift, -shift), (1, 2))  # (F, H, W, C)
    return rearrange(x, f'{MAP} -> {layout}', p=window, q=window)


def join_windows(
    x: Tensor, grid: Grid, window: int, shift: int, layout: str = APART
) -> Tensor:
    """Undo :func:`split_windows`; return (F, H*W, C)."""
    y, w = (side // window for side in grid)
    x = rearrange(
        x, f'{layout} -> {MAP}', p=window, q=window, y=y, x=w
    )  # (F, H, W, C)
    if shift:
        x = x.roll((shift, shift), (1, 2))  # (F, H, W, C)
    return x.flatten(1, 2)  # (F, H*W, C)


def shift_mask(grid: Grid, window: int, shift: int) -> Tensor:
    """Forbid attention across the seam of a shifted grid.

    Returns:
        Tensor: 0 or -100, ``(G, P*P, P*P)``.
    """
    regions = torch.zeros(grid)
    borders = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for i, rows in enumerate(borders):
        for j, columns in enumerate(borders):
            regions[rows, columns] = 3 * i + j
    regions = rearrange(
        regions, '(y p) (x q) -> (y x) (p q)', p=window, q=window
    )  # (G, P*P)
    other = regions[:, :, None] != regions[:, None]  # (G, P*P, P*P)
    return other.float() * FORBIDDEN
