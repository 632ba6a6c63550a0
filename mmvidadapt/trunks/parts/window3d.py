"""Windows of Video Swin: cut in time and space, shifted, told apart."""

from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .lean_window_attention import FORBIDDEN

Sides = Tuple[int, int, int]
# A window is a sequence of its own, or, where windows differ in what is
# forbidden, one of the sequences side by side.
APART = 'b (t p) (h q) (w r) c -> (b t h w) (p q r) 1 c'
ASIDE = 'b (t p) (h q) (w r) c -> b (p q r) (t h w) c'


class Windows3D(nn.Module):
    """How the map of a stage is cut into windows, for all its blocks.

    A window that is larger than the map shrinks to it and is not shifted
    along that axis; a map that is no multiple of the window is padded. A map
    of one frame uses the pairs of temporal distance 0, which are the central
    slab of the table.

    Args:
        grid (Sequence[int]): Frames, height and width of the map in tokens.
        window (Sequence[int]): Frames, height and width of a window, as the
            table of relative positions has them.
        rigid (bool): Whether the windows of a single frame are shifted, and
            never shrunk, and what a shift forbids is forbidden in unshifted
            blocks, too: the image stream of the official BEVT.
            Defaults to False.

    Raises:
        ValueError: If a rigid window does not divide the map.
    """

    def __init__(
        self,
        grid: Sequence[int],
        window: Sequence[int],
        rigid: bool = False,
    ) -> None:
        super().__init__()
        self.rigid = rigid
        if rigid:
            self.window: Sides = (1, *window[1:])
            self.shift: Sides = (0, *(side // 2 for side in window[1:]))
            if any(n % w for n, w in zip(grid, self.window)):
                raise ValueError(
                    f'A map of {grid[1]} x {grid[2]} tokens cannot be cut '
                    f'into rigid windows of {window[1]} x {window[2]}; '
                    'choose another img_size or window_size, or '
                    "image_mask_mode='swin'."
                )
        else:
            self.window = tuple(map(min, window, grid))
            self.shift = tuple(w // 2 * (n > w) for n, w in zip(grid, window))
        self.grid = tuple(grid)
        self.padded = tuple(-(-n // w) * w for n, w in zip(grid, self.window))
        self.register_buffer(
            'index', relative_index(self.window, window), persistent=False
        )
        self.register_buffer('regions', self._regions(), persistent=False)

    def _regions(self) -> Tensor:
        """Number the regions that a shift brings together, (G, N)."""
        number = torch.zeros(self.padded, dtype=torch.uint8)
        for axis, sizes in enumerate(
            zip(self.padded, self.window, self.shift)
        ):
            n, w, s = sizes
            place = torch.arange(n)
            region = (place >= n - w).byte() + (place >= n - s)
            region = region if s else region * 0
            shape = [-1 if i == axis else 1 for i in range(3)]
            number = 3 * number + region.view(shape)
        windows = rearrange(number[None, ..., None], ASIDE, **self._sides())
        return windows[0, ..., 0].t()

    def _sides(self) -> dict:
        """Name the sides of a window as the patterns do."""
        return dict(zip('pqr', self.window))

    def forbids(self, shifted: bool) -> bool:
        """Say whether windows differ in what is forbidden."""
        return any(self.shift) and (shifted or self.rigid)

    def _pattern(self, shifted: bool, apart: bool) -> str:
        """Choose how windows lie."""
        return ASIDE if self.forbids(shifted) and not apart else APART

    def split(self, x: Tensor, shifted: bool, apart: bool = False) -> Tensor:
        """Cut a map (B, T, H, W, C) into windows (S, N, G, C).

        G windows of N tokens lie side by side and S is B, or else every
        window is a sequence: G is 1 and S counts them all. They lie apart
        where they do not differ in what is forbidden, and on request.
        """
        gaps = [b - a for a, b in zip(self.grid, self.padded)]
        if any(gaps):
            x = F.pad(x, (0, 0, 0, gaps[2], 0, gaps[1], 0, gaps[0]))
        if shifted and any(self.shift):
            x = x.roll([-s for s in self.shift], (1, 2, 3))
        pattern = self._pattern(shifted, apart)
        return rearrange(x, pattern, **self._sides())

    def join(self, x: Tensor, shifted: bool, apart: bool = False) -> Tensor:
        """Put windows (S, N, G, C) back into a map (B, T, H, W, C)."""
        pattern = self._pattern(shifted, apart)
        counts = (n // w for n, w in zip(self.padded, self.window))
        x = rearrange(
            x,
            ' -> '.join(reversed(pattern.split(' -> '))),
            **self._sides(),
            **dict(zip('thw', counts)),
        )
        if shifted and any(self.shift):
            x = x.roll(self.shift, (1, 2, 3))
        if self.padded != self.grid:
            t, h, w = self.grid
            x = x[:, :t, :h, :w].contiguous()
        return x

    def bias(
        self, table: Tensor, shifted: bool, index: Optional[Tensor] = None
    ) -> Tensor:
        """Gather the bias of every pair, (1, G * heads, N, N)."""
        index = self.index if index is None else index
        bias = table[index].permute(2, 0, 1)  # (heads, N, N)
        if not self.forbids(shifted):
            return bias[None]
        other = self.regions[:, :, None] != self.regions[:, None]  # (G, N, N)
        bias = bias + other[:, None].to(bias.dtype) * FORBIDDEN
        return bias.flatten(0, 1)[None]


def relative_index(window: Sequence[int], full: Sequence[int]) -> Tensor:
    """Give the row of the bias table for each pair of tokens, (N, N).

    Args:
        window (Sequence[int]): Frames, height and width of the window.
        full (Sequence[int]): Those of the window that the table is for.

    Returns:
        Tensor: Rows of a table of ``prod(2 * full - 1)`` rows.
    """
    places = torch.stack(
        torch.meshgrid(*map(torch.arange, window), indexing='ij')
    ).flatten(1)  # (3, N)
    rows = torch.zeros((), dtype=torch.long)
    for place, side in zip(places, full):
        offset = place[:, None] - place + side - 1
        rows = rows * (2 * side - 1) + offset
    return rows
