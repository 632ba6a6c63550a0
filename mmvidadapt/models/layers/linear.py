"""Linear layers that use the faster of torch's two CPU libraries."""

from typing import Any, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmvidadapt.utils.cpu_products import (
    ONEDNN,
    cpu_products,
    onednn_linear,
)

from .tracing import is_traced

# Below about a million multiply-adds the call itself costs more.
_WORTH_IT = 1 << 20


def product(
    x: Tensor, weight: Tensor, bias: Optional[Tensor] = None
) -> Tensor:
    """Compute ``F.linear`` without autograd.

    In float32 on a CPU, ``F.linear`` always calls the BLAS. oneDNN has been
    found 2.2 times as fast on an AMD EPYC (254 against 114 GFLOP/s on one
    core), 1.1 to 1.3 times on an AMD Zen 4, and equal on an Intel Xeon; the
    faster one is used, see
    :mod:`mmvidadapt.utils.cpu_products`.

    Args:
        x (Tensor): ``(..., C)``.
        weight (Tensor): ``(D, C)``, of any strides.
        bias (Tensor, optional): ``(D,)``. Defaults to None.

    Returns:
        Tensor: ``(..., D)``.
    """
    if not _fast(x, weight):
        return F.linear(x, weight, bias)
    return onednn_linear(x, weight, bias)


def _fast(x: Tensor, weight: Tensor) -> bool:
    return (
        not is_traced()  # asked first: sizes may be symbols then
        and type(x) is Tensor  # no subclass with products of its own
        and type(weight) in (Tensor, nn.Parameter)
        and x.device.type == 'cpu'
        and x.dtype == weight.dtype == torch.float32
        and x.numel() * weight.shape[0] >= _WORTH_IT
        and cpu_products() == ONEDNN
    )


class _Linear(torch.autograd.Function):
    """:func:`product` with gradients; keeps x only for a trained weight."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Optional[Tensor]
    ) -> Tensor:
        """Compute the layer."""
        trained = ctx.needs_input_grad[1]
        ctx.save_for_backward(weight, x if trained else None)
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Differentiate with the same products."""
        weight, x = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        grad_x = product(grad, weight.t()) if needs_x else None
        rows = grad.flatten(0, -2)
        grad_weight = (
            product(rows.t(), x.flatten(0, -2).t()) if needs_weight else None
        )
        return grad_x, grad_weight, rows.sum(0) if needs_bias else None


def linear(x: Tensor, weight: Tensor, bias: Optional[Tensor] = None) -> Tensor:
    """Compute ``F.linear(x, weight, bias)``, see :func:`product`.

    Autocast, compilers and tracers get ``F.linear`` itself.

    Args:
        x (Tensor): ``(..., C)``.
        weight (Tensor): ``(D, C)``.
        bias (Tensor, optional): ``(D,)``. Defaults to None.

    Returns:
        Tensor: ``(..., D)``.
    """
    if not _fast(x, weight) or torch.is_autocast_enabled('cpu'):
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


class Linear(nn.Linear):
    """``nn.Linear`` computed by :func:`linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., D)."""
        return linear(x, self.weight, self.bias)


def as_built(*layers: nn.Module) -> bool:
    """Say whether linear layers are what they were built as.

    Only then may their matrices be read and multiplied with others. What
    has replaced a layer since, quantised or wrapped, must be called.
    """
    return all(type(layer) in (nn.Linear, Linear) for layer in layers)
