"""Decode where a mask is set, and nowhere else.

A transposed convolution whose stride is its kernel computes every output
from one input: it is a linear layer for each place in the kernel.
"""

from typing import List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = ((0, 0), (0, 1), (1, 0), (1, 1))  # places in it


class MaskedRows(NamedTuple):
    """Where the rows of a decoder come from and where they go.

    The first three are for decoding row by row, sorted by place in the 2 x 2
    kernel, the last is for taking rows of a whole decoded map.

    Args:
        fine (Tensor): Indices of masked tokens in the flat fine map, (K',).
        coarse (List[Tensor]): Indices of the coarse tokens above them, one
            tensor for each place in the kernel.
        order (Tensor): Where the rows are found in row-major order of the
            output, (K,): K is K' times the frames that a token spans.
        where (Tensor): Indices of the rows in the flat output, (K,).
    """

    fine: Tensor
    coarse: List[Tensor]
    order: Tensor
    where: Tensor


def masked_rows(mask: Tensor, span: int = 1) -> MaskedRows:
    """Find the rows that a mask asks for.

    Args:
        mask (Tensor): Masked tokens of the fine map, bool ``(B, T, H, W)``.
        span (int): Frames that a token spans. Defaults to 1.

    Returns:
        MaskedRows: Indices, on the device of the mask.
    """
    height, width = mask.shape[2:]
    ids = torch.arange(mask.numel(), device=mask.device).view(mask.shape)
    fine, coarse = [], []
    for i, j in KERNEL:
        part = ids[:, :, i::2, j::2][mask[:, :, i::2, j::2]]
        y, x = part // width, part % width  # y counts on over the frames
        y = y // height * (height // 2) + y % height // 2
        fine.append(part)
        coarse.append(y * (width // 2) + x // 2)
    tokens, area = torch.cat(fine), height * width  # (K',)
    frames = torch.arange(span, device=mask.device)
    frames = tokens[:, None] // area * span + frames  # (K', span)
    target = frames * area + tokens[:, None] % area  # (K', span)
    where, order = target.flatten().sort()
    return MaskedRows(tokens, coarse, order, where)


def upsample_rows(conv: nn.Module, x: Tensor, coarse: List[Tensor]) -> Tensor:
    """Evaluate a transposed convolution of kernel and stride 2 x 2 at rows.

    Args:
        conv (nn.Module): ``ConvTranspose2d`` or ``ConvTranspose3d``, whose
            weight is ``(C, D, [1,] 2, 2)``.
        x (Tensor): Flat coarse map, ``(tokens, C)``.
        coarse (List[Tensor]): See :class:`MaskedRows`.

    Returns:
        Tensor: ``(K', D)``.
    """
    parts = zip(coarse, _places(conv))
    return torch.cat(
        [F.linear(x[rows], weight, conv.bias) for rows, weight in parts]
    )


def spread_rows(conv: nn.Module, rows: Tensor) -> Tensor:
    """Compute a row for every frame of a token.

    Args:
        conv (nn.Module): ``ConvTranspose3d`` whose kernel and stride are
            ``(span, 1, 1)``.
        rows (Tensor): ``(K', C)``.

    Returns:
        Tensor: ``(K' * span, D)``, frames of a token one after the other.
    """
    parts = [F.linear(rows, weight, conv.bias) for weight in _places(conv)]
    return torch.stack(parts, dim=1).flatten(0, 1)  # (K' * span, D)


def _places(conv: nn.Module) -> Tuple[Tensor, ...]:
    """View the kernel as a linear layer (D, C) for each place in it.

    They are views, which cost no memory; oneDNN is slow on them, so they are
    not for :mod:`.linear`.
    """
    return conv.weight.flatten(2).permute(2, 1, 0).unbind()  # (D, C) each
