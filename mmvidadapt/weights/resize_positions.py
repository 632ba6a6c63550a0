"""Position embeddings for another patch grid."""

import math
from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_pos_embed(pos: Tensor, grid: Tuple[int, int]) -> Tensor:
    """Resize the patch rows of a position embedding bicubically.

    The class row stays as it is, and so does everything when the grid is
    the same. Images are square in pretraining: the source grid is taken to
    be square, unless only the wanted grid has its number of patches.

    Args:
        pos (Tensor): Class row and patch rows, ``(1+N, C)``.
        grid (Tuple[int, int]): Wanted patches along height and width.

    Returns:
        Tensor: ``(1 + height * width, C)`` of the same type.
    """
    height, width = grid
    num_patches = len(pos) - 1
    side = math.isqrt(max(num_patches, 0))
    square = num_patches > 0 and side * side == num_patches
    if num_patches == height * width and (height == width or not square):
        return pos
    if pos.ndim != 2 or not square:
        raise ValueError(
            f'A position embedding of shape {tuple(pos.shape)} is not a '
            'class row and a square grid of patches, so it cannot be resized '
            f'to {height}x{width} patches; give weights of a square grid.'
        )
    cls, patches = pos[:1], pos[1:]
    image = patches.T.reshape(1, -1, side, side)  # (1, C, side, side)
    if image.dtype in (torch.float16, torch.bfloat16):
        image = image.float()
    image = F.interpolate(
        image, (height, width), mode='bicubic', align_corners=False
    )
    return torch.cat([cls, image[0].flatten(1).T.to(pos.dtype)])
