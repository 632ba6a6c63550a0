"""Linear layers that use the faster of torch's two CPU libraries."""

from typing import Any, Callable, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mmvidadapt.utils.cpu_products import (
    ONEDNN,
    cpu_products,
    onednn_linear,
)

from .lean import Lean
from .precision import autocast_cast
from .tracing import is_traced

Remake = Callable[[Tensor], Tensor]

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
    return onednn_linear(x, weight, bias)  # (..., D)


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
    """:func:`product` with gradients; keeps x only for a trained weight.

    In the place of x it keeps what x is made again of.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Optional[Tensor],
        source: Optional[Tensor] = None,
        remake: Optional[Remake] = None,
    ) -> Tensor:
        """Compute the layer."""
        ctx.remake, ctx.dtype = remake, x.dtype
        kept = x if source is None else source
        trained = ctx.needs_input_grad[1]
        ctx.save_for_backward(weight, kept if trained else None)
        return product(x, weight, bias)  # (..., D)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Differentiate with the same products."""
        weight, x = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        grad_x = product(grad, weight.t()) if needs_x else None
        rows, grad_weight = grad.flatten(0, -2), None  # (M, D)
        if needs_weight:
            if ctx.remake is not None:
                x = ctx.remake(x).to(ctx.dtype)
            grad_weight = product(rows.t(), x.flatten(0, -2).t())
        grad_bias = rows.sum(0) if needs_bias else None
        return grad_x, grad_weight, grad_bias, None, None


def linear(
    x: Tensor,
    weight: Tensor,
    bias: Optional[Tensor] = None,
    source: Optional[Tensor] = None,
    remake: Optional[Remake] = None,
) -> Tensor:
    """Compute ``F.linear(x, weight, bias)``, see :func:`product`.

    Compilers and tracers get ``F.linear`` itself, and so does autocast
    unless there is a source.

    Args:
        x (Tensor): ``(..., C)``.
        weight (Tensor): ``(D, C)``.
        bias (Tensor, optional): ``(D,)``. Defaults to None.
        source (Tensor, optional): What x was made of and somebody keeps
            anyhow: it is kept for a trained weight in the place of x.
            Defaults to None.
        remake (Callable, optional): Makes x of it again. Defaults to None.

    Returns:
        Tensor: ``(..., D)``.
    """
    trained = torch.is_grad_enabled() and weight.requires_grad
    if source is not None and trained and not is_traced():
        x, weight, bias = (
            t if t is None else autocast_cast(t) for t in (x, weight, bias)
        )
        return _Linear.apply(x, weight, bias, source, remake)
    if not _fast(x, weight) or torch.is_autocast_enabled('cpu'):
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias, None, None)


class Linear(Lean, nn.Linear):
    """``nn.Linear`` computed by :func:`linear`."""

    def forward(
        self,
        x: Tensor,
        source: Optional[Tensor] = None,
        remake: Optional[Remake] = None,
    ) -> Tensor:
        """Map (..., C) to (..., D), see :func:`linear`."""
        return linear(x, self.weight, self.bias, source, remake)


def renorm(norm: nn.LayerNorm) -> Remake:
    """Return a function that norms again with the weights of now."""
    weight, bias, eps = norm.weight, norm.bias, norm.eps

    def remake(source: Tensor) -> Tensor:
        source = source.to(weight.dtype)
        return F.layer_norm(source, source.shape[-1:], weight, bias, eps)

    return remake


def as_built(*layers: nn.Module) -> bool:
    """Check whether linear layers are what they were built as.

    Only then may their matrices be read and multiplied with others. What
    has replaced a layer since, quantised or wrapped, must be called.
    """
    return all(type(layer) in (nn.Linear, Linear) for layer in layers)
