"""Interpolate what a checkpoint has for another number of frames."""

import math
import re
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Parameters over time, with their axis of time.
OVER_TIME = {
    r'(.*\.)?temporal_embedding': 1,  # AIM, (1, T, C)
    r'(.*\.)?temporal_pos_embed': 0,  # EVL, (T, C)
    r'(.*\.)?temporal_position_bias_table': 0,  # AIM's Swin, (2T-1, heads)
    r'(.*\.)?temporal\.positional_embedding': 0,  # ViViT, (1+T, C)
}
JOINT = 'positional_embedding'  # ViViT, (1+TN, C)


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
    for pattern, axis in OVER_TIME.items():
        if re.fullmatch(pattern, name):
            first = int(has_token and '.positional_' in name)
            return _resize(saved, wanted, axis, first, 1)
    steps, grid = getattr(owner, 'steps', 0), getattr(owner, 'patch_grid', ())
    first = int(has_token)
    if name.endswith(JOINT) and wanted[0] - first == steps * math.prod(grid):
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
