"""Windows, shifts and relative positions of Swin."""

from typing import Tuple

import torch
from einops import rearrange
from torch import Tensor

Grid = Tuple[int, int]


def split_windows(x: Tensor, grid: Grid, window: int, shift: int) -> Tensor:
    """Shift frames and cut them into windows.

    Args:
        x (Tensor): Tokens ``(F, H*W, C)`` of F frames.
        grid (Tuple[int, int]): H and W, multiples of the window.
        window (int): Side P of a window.
        shift (int): Shift to the upper left, in tokens.

    Returns:
        Tensor: ``(F, P*P, windows, C)``: windows are one more batch
        dimension, see :func:`attend`.
    """
    x = rearrange(x, 'f (h w) c -> f h w c', h=grid[0])
    if shift:
        x = x.roll((-shift, -shift), (1, 2))
    return rearrange(
        x, 'f (y p) (x q) c -> f (p q) (y x) c', p=window, q=window
    )  # (F, P*P, windows, C)


def join_windows(x: Tensor, grid: Grid, window: int, shift: int) -> Tensor:
    """Undo :func:`split_windows`; return (F, H*W, C)."""
    x = rearrange(
        x, 'f (p q) (y x) c -> f (y p) (x q) c', p=window, y=grid[0] // window
    )  # (F, H, W, C)
    if shift:
        x = x.roll((shift, shift), (1, 2))
    return x.flatten(1, 2)


def relative_index(window: int) -> Tensor:
    """Give the row of the bias table for each pair of tokens, (P*P, P*P)."""
    y, x = torch.meshgrid(
        torch.arange(window), torch.arange(window), indexing='ij'
    )
    dy, dx = (
        axis.flatten()[:, None] - axis.flatten()[None] + window - 1
        for axis in (y, x)
    )
    return dy * (2 * window - 1) + dx


def shift_mask(grid: Grid, window: int, shift: int) -> Tensor:
    """Forbid attention across the seam of a shifted grid.

    Returns:
        Tensor: 0 or -100, ``(windows, P*P, P*P)``.
    """
    regions = torch.zeros(grid)
    borders = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for i, rows in enumerate(borders):
        for j, columns in enumerate(borders):
            regions[rows, columns] = 3 * i + j
    regions = rearrange(
        regions, '(y p) (x q) -> (y x) (p q)', p=window, q=window
    )
    other = regions[:, :, None] != regions[:, None]  # (windows, P*P, P*P)
    return other.float() * -100
