"""The bottleneck adapter, saving as little as possible for backward."""

from functools import partial
from typing import Any, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .adapter import Adapter
from .lean import Lean
from .linear import as_built, product
from .linear import linear as linear_product
from .precision import autocast_cast, full_precision
from .projection import has_one_matrix
from .tracing import is_traced

# A function, and its derivative given the gradient and the input.
_ACTIVATIONS = {
    'gelu': (F.gelu, torch.ops.aten.gelu_backward),
    'relu': (F.relu, partial(torch.ops.aten.threshold_backward, threshold=0)),
    'none': (lambda x: x, lambda grad, x: grad),
}


class _Bottleneck(torch.autograd.Function):
    """The adapter as one step that keeps little for backward.

    ``act(x @ down + b) @ up + b`` keeps x and the narrow input of the
    activation; in place of x, what x was normalised from.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w1: Tensor,
        b1: Optional[Tensor],
        w2: Tensor,
        b2: Optional[Tensor],
        act: str,
        source: Optional[Tensor],
        norm: Optional[tuple],
        mask: Optional[Tensor],
    ) -> Tensor:
        """Compute the adapter of x, (..., C)."""
        hidden = product(x, w1, b1)  # (..., width)
        ctx.act, ctx.norm, ctx.dtype = act, norm, x.dtype
        kept = x if source is None else source
        ctx.save_for_backward(kept, hidden, w1, w2, mask)
        return product(_drop(_ACTIVATIONS[act][0](hidden), mask), w2, b2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Recompute the cheap parts, then differentiate."""
        x, hidden, w1, w2, mask = ctx.saved_tensors
        activate, derive = _ACTIVATIONS[ctx.act]
        if ctx.norm is not None:
            x = F.layer_norm(x, x.shape[-1:], *ctx.norm).to(ctx.dtype)
        shape = x.shape
        x, hidden, grad = (
            t.flatten(0, -2) for t in (x, hidden, grad)
        )  # (M, C)
        mask = mask if mask is None else mask.flatten(0, -2)
        grad_hidden = derive(_drop(product(grad, w2.t()), mask), hidden)
        out = _drop(activate(hidden), mask)  # (M, width)
        needs = ctx.needs_input_grad
        return (
            product(grad_hidden, w1.t()).view(shape) if needs[0] else None,
            product(grad_hidden.t(), x.t()) if needs[1] else None,
            grad_hidden.sum(0) if needs[2] else None,
            product(grad.t(), out.t()) if needs[3] else None,
            grad.sum(0) if needs[4] else None,
            *[None] * 4,
        )


def _drop(x: Tensor, mask: Optional[Tensor]) -> Tensor:
    return x if mask is None else x * mask


def bottleneck(
    x: Tensor,
    down: Tuple[Tensor, Optional[Tensor]],
    up: Tuple[Tensor, Optional[Tensor]],
    act: str = 'gelu',
    source: Optional[Tensor] = None,
    norm: Optional[nn.LayerNorm] = None,
    dropout: Optional[nn.Dropout] = None,
) -> Tensor:
    """Compute ``up(act(down(x)))``, keeping little for backward.

    Args:
        x (Tensor): Tokens ``(..., C)``.
        down (Tuple): Weight ``(width, C)`` and bias, or None.
        up (Tuple): Weight ``(C, width)`` and bias, or None.
        act (str): ``'relu'``, ``'none'`` or this. Defaults to ``'gelu'``.
        source (Tensor, optional): Where ``x == norm(source)``: it is kept
            for backward in place of ``x``. Defaults to None.
        norm (nn.LayerNorm, optional): It made ``x``. Defaults to None.
        dropout (nn.Dropout, optional): After ``act``. Defaults to None.

    Returns:
        Tensor: ``(..., C)``.
    """
    recipe = None
    if norm is not None and not norm.weight.requires_grad:
        recipe = (norm.weight, norm.bias, norm.eps)
    x, *params = (
        t if t is None else autocast_cast(t) for t in (x, *down, *up)
    )
    if is_traced():
        hidden = _ACTIVATIONS[act][0](F.linear(x, *params[:2]))
        hidden = hidden if dropout is None else dropout(hidden)
        return F.linear(hidden, *params[2:])  # (..., C)
    mask = None
    if dropout is not None and dropout.training and dropout.p > 0:
        mask = dropout(x.new_ones(*x.shape[:-1], len(params[0])))
    return _Bottleneck.apply(
        x, *params, act, source if recipe else None, recipe, mask
    )


class LeanAdapter(Lean, Adapter):
    """Bottleneck adapter that keeps as little as possible for backward."""

    def forward(
        self,
        x: Tensor,
        source: Optional[Tensor] = None,
        norm: Optional[nn.LayerNorm] = None,
    ) -> Tensor:
        """Adapt x.

        Args:
            x (Tensor): Tokens ``(..., C)``.
            source (Tensor, optional): Where ``x == norm(source)``: it is
                kept for backward in place of ``x``. Defaults to None.
            norm (nn.LayerNorm, optional): The frozen norm that made ``x``.
                Defaults to None.

        Returns:
            Tensor: What the adapter adds, ``(..., C)``.
        """
        if not as_built(self.down, self.up):
            return super().forward(x)
        return self._bottleneck(
            x, self.down.weight, self.down.bias, source, norm
        )

    def folds(self, x: Tensor, *layers: nn.Module) -> bool:
        """Check whether to multiply matrices first, then the tokens x.

        Not where it costs more.
        """
        own = as_built(self.down, self.up)
        if not own or not all(map(has_one_matrix, layers)):
            return False
        return x.numel() // x.shape[-1] >= 2 * self.down.out_features

    def after(self, linear: nn.Linear, x: Tensor) -> Tensor:
        """Adapt ``linear(x)`` without computing it.

        The two matrices are multiplied once per step instead of one after the
        other per token, and ``linear(x)`` need not be kept for backward.

        Args:
            linear (nn.Linear): The layer before the adapter, C to C, perhaps
                with a norm before it.
            x (Tensor): Its input, ``(..., C)``.

        Returns:
            Tensor: What the adapter adds, ``(..., C)``.
        """
        if not self.folds(x, linear):
            return self(linear(x))
        with full_precision(x):
            weight = linear_product(self.down.weight, linear.weight.t())
            bias = F.linear(linear.bias, self.down.weight, self.down.bias)
        norm = getattr(linear, 'norm', None)
        if norm is None:
            return self._bottleneck(x, weight, bias)
        return self._bottleneck(norm(x), weight, bias, x, norm)  # (..., C)

    def _bottleneck(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        source: Optional[Tensor] = None,
        norm: Optional[nn.LayerNorm] = None,
    ) -> Tensor:
        up = (self.up.weight, self.up.bias)
        return bottleneck(
            x, (weight, bias), up, self.act, source, norm, self.dropout
        )
