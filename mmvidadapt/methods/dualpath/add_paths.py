"""Residual sum of paths that are slices of one tensor."""

from typing import Any, Tuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmvidadapt.trunks.parts.tracing import is_traced


class _AddPaths(torch.autograd.Function):
    """Add slice by slice; the gradients are slices, too, not copies."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *deltas: Tensor) -> Tensor:
        """Add to a copy of x."""
        ctx.sizes = [len(delta) for delta in deltas]
        ctx.dtypes = [delta.dtype for delta in deltas]
        out = x.clone()
        for part, delta in zip(out.split(ctx.sizes), deltas):
            part.add_(delta)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, ...]:
        """Hand every path its slice."""
        parts = zip(grad.split(ctx.sizes), ctx.dtypes)
        return grad, *(part.to(dtype) for part, dtype in parts)


def add_paths(x: Tensor, *deltas: Tensor) -> Tensor:
    """Add to consecutive images what their paths say.

    Equal to ``x + torch.cat(deltas)``; but nothing is concatenated.

    Args:
        x (Tensor): Tokens of all images, ``(images, N, C)``.
        *deltas: Tokens of consecutive images, ``(images of a path, N, C)``;
            they make up all images.

    Returns:
        Tensor: ``(images, N, C)``.
    """
    if is_traced():
        return x + torch.cat(deltas)
    return _AddPaths.apply(x, *deltas)
