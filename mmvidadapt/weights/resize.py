"""Resize positions for another patch grid or another number of frames."""

import math
import re
from typing import Dict, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layouts.registry import time_axes

POSITIONS = 'positional_embedding'


class Rule(NamedTuple):
    """How a package resizes tables of positions.

    Args:
        mode (str): Of ``F.interpolate``. Defaults to ``'bicubic'``.
        antialias (bool): Whether smaller grids are smoothed.
            Defaults to False.
        offset (float): Added to the wanted sides where they are divided by
            the given ones. Defaults to 0.0: sizes are given, not factors.
    """

    mode: str = 'bicubic'
    antialias: bool = False
    offset: float = 0.0


# On DINOv2's S/14, 37x37 to 16x16, tokens by the rule of its authors are 1.2 %
# and by timm's 5.6 % away from those by transformers' (norms of differences).
RULES: Dict[str, Rule] = dict(
    bicubic=Rule(),  # of transformers
    timm=Rule(antialias=True),  # of open_clip, and DINOv2 with registers, too
    dinov2=Rule(offset=0.1),  # of DINOv2's authors without registers
    pe=Rule('bilinear'),  # of the Perception Encoder
    naflex=Rule('bilinear', antialias=True),  # of SigLIP 2 NaFlex
)


def resize_pos_embed(
    pos: Tensor,
    grid: Tuple[int, int],
    rule: str = 'bicubic',
    cls_token: bool = True,
) -> Tensor:
    """Resize the patch rows of a position embedding.

    The class row stays as it is, and so does everything when the grid is
    the same. Images are square in pretraining: the source grid is taken to
    be square, unless only the wanted grid has its number of patches.

    Args:
        pos (Tensor): Class row and patch rows, ``(1+N, C)``.
        grid (Tuple[int, int]): Wanted patches along height and width.
        rule (str): Name in :data:`RULES`. Defaults to ``'bicubic'``.
        cls_token (bool): Whether there is a class row. Defaults to True.

    Returns:
        Tensor: ``(1 + height * width, C)`` of the same type.

    Raises:
        ValueError: If the rows are of no square grid.
    """
    height, width = grid
    first = int(cls_token)
    num_patches = len(pos) - first
    side = math.isqrt(max(num_patches, 0))
    square = num_patches > 0 and side * side == num_patches
    if num_patches == height * width and (height == width or not square):
        return pos
    if pos.ndim != 2 or not square:
        rows = 'a class row and a square grid' if cls_token else 'a square'
        raise ValueError(
            f'A position embedding of shape {tuple(pos.shape)} is not {rows} '
            f'of patches, so it cannot be resized to {height}x{width} '
            'patches; give weights of a square grid.'
        )
    cls, patches = pos[:first], pos[first:]
    image = patches.T.reshape(1, -1, side, side)  # (1, C, side, side)
    if image.dtype in (torch.float16, torch.bfloat16):
        image = image.float()
    image = _interpolate(image, (height, width), RULES[rule])
    return torch.cat([cls, image[0].flatten(1).T.to(pos.dtype)])


def _interpolate(image: Tensor, size: Tuple[int, int], rule: Rule) -> Tensor:
    """Resize images (B, C, H, W) by the rule of a package."""
    options = dict(
        mode=rule.mode, align_corners=False, antialias=rule.antialias
    )
    if rule.offset:
        factors = [
            (new + rule.offset) / old
            for new, old in zip(size, image.shape[-2:])
        ]
        return F.interpolate(image, scale_factor=factors, **options)
    return F.interpolate(image, size, **options)


def resize_positions_(
    weights: Dict[str, Tensor], grid: Tuple[int, int], rule: str = 'bicubic'
) -> str:
    """Resize the position embedding of an image ViT's weights, in place.

    Args:
        weights (Dict[str, Tensor]): Under our names.
        grid (Tuple[int, int]): Wanted patches along height and width.
        rule (str): Name in :data:`RULES`. Defaults to ``'bicubic'``.

    Returns:
        str: What was done, for the log; '' for nothing.
    """
    before = weights.get(POSITIONS)
    if before is None:
        return ''
    cls_token = 'class_embedding' in weights
    resized = resize_pos_embed(before, tuple(grid), rule, cls_token)
    weights[POSITIONS] = resized
    if resized is before:
        return ''
    return (
        f'; the position embedding of {len(before) - cls_token} patches was '
        f'resized to {grid[0]}x{grid[1]} by the rule {rule!r}'
    )


def resize_time(
    model: nn.Module, name: str, saved: Tensor, wanted: torch.Size
) -> Optional[Tensor]:
    """Interpolate a parameter linearly over time, end on end.

    Args:
        model (nn.Module): The model that it is for.
        name (str): Of the parameter.
        saved (Tensor): What a checkpoint has.
        wanted (torch.Size): The shape in the model.

    Returns:
        Tensor, optional: Of the wanted shape; None where the parameter has
        no axis of time, or differs in another one, too.
    """
    owner = model.get_submodule(name.rpartition('.')[0])
    has_token = hasattr(owner, 'class_embedding')
    for pattern, axis in time_axes().items():
        if re.fullmatch(rf'(.*\.)?{pattern}', name):
            first = int(has_token and '.positional_' in name)
            return _resize(saved, wanted, axis, first, 1)
    # One row for every patch of every step, as in the first model of ViViT.
    steps, grid = getattr(owner, 'steps', 0), getattr(owner, 'patch_grid', ())
    first = int(has_token)
    rows = steps * math.prod(grid)
    if name.endswith(POSITIONS) and wanted[0] - first == rows:
        return _resize(saved, wanted, 0, first, math.prod(grid))
    return None


def _resize(
    saved: Tensor, wanted: torch.Size, axis: int, first: int, patches: int
) -> Optional[Tensor]:
    """Interpolate all but the first rows, in steps of so many patches."""
    if saved.ndim != len(wanted):
        return None
    sizes = [[*shape] for shape in (saved.shape, wanted)]
    old, new = (size.pop(axis) - first for size in sizes)
    if sizes[0] != sizes[1] or min(old, new) < 1 or old % patches:
        return None
    rows = saved.movedim(axis, 0)
    cls, rows = rows[:first], rows[first:]
    flat = rows.reshape(old // patches, -1).T[None].float()
    flat = F.interpolate(
        flat, new // patches, mode='linear', align_corners=True
    )
    rows = flat[0].T.reshape(new, *rows.shape[1:]).to(saved.dtype)
    return torch.cat([cls, rows]).movedim(0, axis)
