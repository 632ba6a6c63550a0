"""Framesets: consecutive frames shrunk into a grid, one picture of motion."""

from typing import Iterator, Sequence, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from mmvidadapt.utils.check_choices import check_choices

Grid = Tuple[int, int]
PATHS = ('temporal', 'spatial')  # framesets are for the first
CELL = 4  # rows and columns of a cell in the map of frame numbers
PERIOD = 10_000.0  # longest period of the temporal code, over 2 pi


def count_images(
    num_frames: int,
    num_spatial_frames: int,
    grid: Grid,
    paths: Sequence[str],
) -> Tuple[int, int]:
    """Count framesets and frames of a clip, none where a path is missing."""
    check_choices('paths', paths, PATHS)
    if not paths:
        raise ValueError(f'paths={paths!r}: give at least one of {PATHS}.')
    if len(grid) != 2 or any(n < 1 or n != int(n) for n in grid):
        raise ValueError(f'grid={grid}: give a number of rows and of columns.')
    temporal = spatial = 0
    if 'temporal' in paths:
        check_frames(num_frames, grid)
        temporal = num_frames // (grid[0] * grid[1])
    if 'spatial' in paths:
        spatial = num_spatial_frames
        if not 1 <= spatial <= num_frames:
            raise ValueError(
                f'num_spatial_frames={spatial} of num_frames={num_frames}: '
                f'choose 1 to {num_frames}.'
            )
    return temporal, spatial


def sample_frames(video: Tensor, num: int) -> Tensor:
    """Take the first frame of each ``num``-th of a clip.

    Args:
        video (Tensor): ``(B, 3, T, H, W)``.
        num (int): Number of frames, at most T.

    Returns:
        Tensor: ``(B, 3, num, H, W)``.
    """
    frames = video.shape[2]
    inds = torch.arange(num, device=video.device) * frames // num  # (num,)
    return video[:, :, inds]


def build_framesets(
    video: Tensor, grid: Grid, antialias: bool = False
) -> Tensor:
    """Shrink consecutive frames into grids, row by row.

    Equal to laying the frames of a grid side by side at full size and
    resizing that picture of ``rows * H x columns * W`` pixels to one frame
    bilinearly; but the picture is never formed: only pixels with a weight
    are read.

    Args:
        video (Tensor): ``(B, 3, T, H, W)``, T a multiple of the cells.
        grid (Tuple[int, int]): Rows and columns.
        antialias (bool): Whether the filter widens as the picture shrinks;
            without, a pixel of a 4 x 4 grid is the mean of the four at the
            centre of its 16. Defaults to False.

    Returns:
        Tensor: ``(B, 3, T / cells, H, W)``.

    Raises:
        ValueError: If the frames do not fill grids or are integers, which
            hold no fractions of grey levels.
    """
    rows, columns = grid
    check_frames(video.shape[2], grid)
    if not video.is_floating_point():
        raise ValueError(
            f'Framesets of {video.dtype} would be rounded; give video.float().'
        )
    height, width = video.shape[-2:]
    split = 'b c (g r s) h w -> b c g r s h w'
    x, out = rearrange(video, split, r=rows, s=columns), 0
    for i, u in _taps(height, rows, antialias, video.device):
        i, u = i[:, None], u[:, None]  # (H, 1)
        for j, v in _taps(width, columns, antialias, video.device):
            read = x[..., i // height, j // width, i % height, j % width]
            out = out + read * (u * v).to(x.dtype)  # (B, 3, G, H, W)
    return out


def check_frames(num_frames: int, grid: Grid) -> None:
    """Raise unless a clip fills its grids."""
    cells = grid[0] * grid[1]
    if num_frames < cells or num_frames % cells:
        raise ValueError(
            f'num_frames={num_frames} do not fill framesets of grid='
            f'{tuple(grid)}: give a multiple of {cells}, or another grid.'
        )


def _taps(
    size: int, cells: int, antialias: bool, device: torch.device
) -> Iterator[Tuple[Tensor, Tensor]]:
    """Yield what is read tap by tap: indices and weights, (size,)."""
    last, width = cells * size - 1, cells if antialias else 1
    centre = (torch.arange(size, device=device).double() + 0.5) * cells
    first = (centre - width + 0.5).floor()  # (size,)
    taps = torch.arange(2 * width, device=device)[:, None]  # (taps, 1)
    inds = first + taps  # (taps, size)
    weights = (1 - (inds + 0.5 - centre).abs() / width).clamp(min=0)
    if antialias:  # what lies outside does not count; else it is the border
        weights = weights * ((inds >= 0) & (inds <= last))
    return zip(inds.clamp(0, last).long(), weights / weights.sum(0))


def frame_numbers(
    num_framesets: int, grid: Grid, patch_grid: Grid, antialias: bool = False
) -> Tensor:
    """Number the frames under every patch of the framesets.

    The first frame of a clip is 1. A patch between frames gets a number
    between theirs.

    Args:
        num_framesets (int): Number of framesets G.
        grid (Tuple[int, int]): Rows and columns of frames.
        patch_grid (Tuple[int, int]): Rows and columns of patches.
        antialias (bool): As in :func:`build_framesets`. Defaults to False.

    Returns:
        Tensor: ``(G, rows * columns of patches)``.
    """
    rows, columns = grid
    numbers = torch.arange(1, num_framesets * rows * columns + 1).float()
    cells = numbers.view(1, num_framesets, rows, columns)
    cells = cells.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
    patches = F.interpolate(
        cells,
        tuple(patch_grid),
        mode='bilinear',
        align_corners=False,
        antialias=antialias,
    )  # (1, G, rows of patches, columns of patches)
    return patches[0].flatten(1)


def temporal_code(
    dims: int,
    num_framesets: int,
    grid: Grid,
    patch_grid: Grid,
    antialias: bool = False,
    num_prefix_tokens: int = 1,
) -> Tensor:
    """Encode by sines and cosines which frame a patch is of.

    Number v gets ``sin(v w_k)`` in channel 2k and ``cos(v w_k)`` in channel
    2k + 1, with ``w_k = 10000^(-2k / C)``; a class token has 0 for v.

    Args:
        dims (int): Number of channels C.
        num_framesets (int): Number of framesets G.
        grid (Tuple[int, int]): Rows and columns of frames.
        patch_grid (Tuple[int, int]): Rows and columns of patches.
        antialias (bool): As in :func:`build_framesets`. Defaults to False.
        num_prefix_tokens (int): Tokens P before the patches. Defaults to 1.

    Returns:
        Tensor: ``(G, P+N, C)`` in float32.

    Raises:
        ValueError: If the number of channels is odd.
    """
    if dims % 2:
        raise ValueError(
            f'embed_dims={dims}: the temporal code has a sine and a cosine '
            'for every two channels; give an even number.'
        )
    numbers = frame_numbers(num_framesets, grid, patch_grid, antialias)
    numbers = F.pad(numbers, (num_prefix_tokens, 0))  # (G, P+N)
    rates = 1.0 / PERIOD ** (torch.arange(0, dims, 2).float() / dims)
    angles = numbers[..., None] * rates  # (G, P+N, C/2)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
