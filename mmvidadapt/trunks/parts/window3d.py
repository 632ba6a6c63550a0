"""Windows of Video Swin: cut in time and space, shifted, told apart."""

from typing import Sequence, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from .window_attention import FORBIDDEN, relative_index

Sides = Tuple[int, int, int]
MAP, CUT = 'b (t p) (h q) (w r) c', '(b t h w) (p q r) c'


class Windows3D(nn.Module):
    """Cut the map of a stage into windows, for all its blocks.

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
        number = number[None, ..., None]  # (1, T, H, W, 1)
        windows = rearrange(number, f'{MAP} -> {CUT}', **self._sides())
        return windows[..., 0]

    def _sides(self) -> dict:
        """Name the sides of a window as the patterns do."""
        return dict(zip('pqr', self.window))

    def forbids(self, shifted: bool) -> bool:
        """Check whether windows differ in what is forbidden."""
        return any(self.shift) and (shifted or self.rigid)

    def split(self, x: Tensor, shifted: bool) -> Tensor:
        """Cut maps (B, T, H, W, C) into G windows each, (B*G, N, C)."""
        gaps = [b - a for a, b in zip(self.grid, self.padded)]
        if any(gaps):
            x = F.pad(x, (0, 0, 0, gaps[2], 0, gaps[1], 0, gaps[0]))
        if shifted and any(self.shift):
            x = x.roll([-s for s in self.shift], (1, 2, 3))
        return rearrange(x, f'{MAP} -> {CUT}', **self._sides())  # (B*G, N, C)

    def join(self, x: Tensor, shifted: bool) -> Tensor:
        """Put windows (B*G, N, C) back into maps (B, T, H, W, C)."""
        counts = (n // w for n, w in zip(self.padded, self.window))
        x = rearrange(
            x, f'{CUT} -> {MAP}', **self._sides(), **dict(zip('thw', counts))
        )  # (B, T, H, W, C), padded
        if shifted and any(self.shift):
            x = x.roll(self.shift, (1, 2, 3))
        if self.padded != self.grid:
            t, h, w = self.grid
            x = x[:, :t, :h, :w].contiguous()
        return x

    def bias(self, bias: Tensor, shifted: bool) -> Tensor:
        """Forbid what a shift forbids.

        Args:
            bias (Tensor): Bias of every pair in a window, ``(heads, N, N)``.
            shifted (bool): Whether the windows are shifted.

        Returns:
            Tensor: ``(G, heads, N, N)``, or ``(1, heads, N, N)`` where all
            windows are alike.
        """
        if not self.forbids(shifted):
            return bias[None]
        other = self.regions[:, :, None] != self.regions[:, None]  # (G, N, N)
        return bias + other[:, None].to(bias.dtype) * FORBIDDEN
