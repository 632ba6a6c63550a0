"""Decoding where a mask is set, and nowhere else.

A transposed convolution whose stride is its kernel computes every output
from one input: it is a linear layer for each place in the kernel.
"""

import math
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = ((0, 0), (0, 1), (1, 0), (1, 1))  # places in it


class MaskedRows(NamedTuple):
    """Where the rows of a decoder come from and where they go.

    Rows are sorted by their place in the 2 x 2 kernel.

    Args:
        fine (Tensor): Indices of masked tokens in the flat fine map, (K',).
        coarse (List[Tensor]): Indices of the coarse tokens above them, one
            tensor for each place in the kernel.
        order (Tensor): Where the rows are found in row-major order of the
            output, (K,): K is K' times the frames that a token spans.
    """

    fine: Tensor
    coarse: List[Tensor]
    order: Tensor


def masked_rows(
    shape: Sequence[int],
    mask: Optional[Tensor] = None,
    span: int = 1,
    device: Optional[torch.device] = None,
) -> MaskedRows:
    """Find the rows that a mask asks for.

    Args:
        shape (Sequence[int]): Sizes of the fine map, B, T, H and W.
        mask (Tensor, optional): Masked tokens, bool ``(B, T, H, W)``.
            Defaults to None: all.
        span (int): Frames that a token spans. Defaults to 1.
        device (torch.device, optional): Where the mask and the map are.
            Defaults to None: on the CPU.

    Returns:
        MaskedRows: Indices.
    """
    height, width = shape[2:]
    ids = torch.arange(math.prod(shape), device=device).view(*shape)
    fine, coarse = [], []
    for i, j in KERNEL:
        part = ids[:, :, i::2, j::2]
        part = part.flatten() if mask is None else part[mask[:, :, i::2, j::2]]
        y, x = part // width, part % width  # y counts on over the frames
        y = y // height * (height // 2) + y % height // 2
        fine.append(part)
        coarse.append(y * (width // 2) + x // 2)
    tokens = torch.cat(fine)
    area = height * width
    frames = tokens[:, None] // area * span + torch.arange(span, device=device)
    target = frames * area + tokens[:, None] % area
    return MaskedRows(tokens, coarse, target.flatten().argsort())


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
    """Give every frame of a token its row.

    Args:
        conv (nn.Module): ``ConvTranspose3d`` whose kernel and stride are
            ``(span, 1, 1)``.
        rows (Tensor): ``(K', C)``.

    Returns:
        Tensor: ``(K' * span, D)``, frames of a token one after the other.
    """
    parts = [F.linear(rows, weight, conv.bias) for weight in _places(conv)]
    return torch.stack(parts, dim=1).flatten(0, 1)


def _places(conv: nn.Module) -> Tuple[Tensor, ...]:
    """Give a linear layer's weight (D, C) for each place in the kernel.

    They are views, which cost no memory; oneDNN is slow on them, so they are
    not for :mod:`.linear`.
    """
    return conv.weight.flatten(2).permute(2, 1, 0).unbind()
