"""The bottleneck adapter, saving as little as possible for backward."""

from typing import Any, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .linear import linear as linear_product
from .linear import product
from .precision import autocast_cast, full_precision


class _Bottleneck(torch.autograd.Function):
    """The adapter as one step that keeps little for backward.

    ``gelu(x @ down + b) @ up + b`` keeps x and the narrow input of GELU; in
    place of x, what x was normalised from.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w1: Tensor,
        b1: Tensor,
        w2: Tensor,
        b2: Tensor,
        source: Optional[Tensor],
        norm: Optional[tuple],
    ) -> Tensor:
        """Compute the adapter of x, (..., C)."""
        hidden = product(x, w1, b1)
        ctx.norm, ctx.dtype = norm, x.dtype
        ctx.save_for_backward(x if source is None else source, hidden, w1, w2)
        return product(F.gelu(hidden), w2, b2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Optional[Tensor], ...]:
        """Recompute the cheap parts, then differentiate."""
        x, hidden, w1, w2 = ctx.saved_tensors
        if ctx.norm is not None:
            x = F.layer_norm(x, x.shape[-1:], *ctx.norm).to(ctx.dtype)
        shape = x.shape
        x, hidden, grad = (t.flatten(0, -2) for t in (x, hidden, grad))
        grad_hidden = torch.ops.aten.gelu_backward(
            product(grad, w2.t()), hidden
        )
        needs = ctx.needs_input_grad
        return (
            product(grad_hidden, w1.t()).view(shape) if needs[0] else None,
            product(grad_hidden.t(), x.t()) if needs[1] else None,
            grad_hidden.sum(0) if needs[2] else None,
            product(grad.t(), F.gelu(hidden).t()) if needs[3] else None,
            grad.sum(0) if needs[4] else None,
            None,
            None,
        )


class Adapter(nn.Module):
    """Bottleneck adapter without a skip: down-projection, GELU, up-projection.

    The up-projection starts at zero, so a new adapter adds nothing to the
    frozen model. Where the paper draws a skip around it, the block adds it.

    Proposed in `Parameter-Efficient Transfer Learning for NLP
    <https://arxiv.org/abs/1902.00751>`_.

    Args:
        embed_dims (int): Number of input channels C.
        ratio (float): Width of the bottleneck relative to C.
            Defaults to 0.25.
    """

    def __init__(self, embed_dims: int, ratio: float = 0.25) -> None:
        super().__init__()
        width = int(embed_dims * ratio)
        if width < 1:
            raise ValueError(
                f'ratio={ratio} leaves no channel of '
                f'embed_dims={embed_dims}; give a larger one.'
            )
        self.down = nn.Linear(embed_dims, width)
        self.up = nn.Linear(width, embed_dims)
        nn.init.trunc_normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

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
        recipe = None
        if norm is not None and not norm.weight.requires_grad:
            recipe = (norm.weight, norm.bias, norm.eps)
        return self._bottleneck(
            x,
            self.down.weight,
            self.down.bias,
            source if recipe else None,
            recipe,
        )

    def after(self, linear: nn.Linear, x: Tensor) -> Tensor:
        """Adapt ``linear(x)`` without computing it.

        The two matrices are multiplied once per step instead of one after the
        other per token, and ``linear(x)`` need not be kept for backward.

        Args:
            linear (nn.Linear): The layer before the adapter, C to C.
            x (Tensor): Its input, ``(..., C)``.

        Returns:
            Tensor: What the adapter adds, ``(..., C)``.
        """
        tokens = x.numel() // x.shape[-1]
        if tokens < 2 * self.down.out_features:  # folding would cost more
            return self(linear(x))
        with full_precision(x):
            weight = linear_product(self.down.weight, linear.weight.t())
            bias = F.linear(linear.bias, self.down.weight, self.down.bias)
        return self._bottleneck(x, weight, bias)

    def _bottleneck(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        source: Optional[Tensor] = None,
        norm: Optional[tuple] = None,
    ) -> Tensor:
        x, *params = (
            autocast_cast(t)
            for t in (x, weight, bias, self.up.weight, self.up.bias)
        )
        if torch.jit.is_tracing():  # exporters look into plain operators only
            w1, b1, w2, b2 = params
            return F.linear(F.gelu(F.linear(x, w1, b1)), w2, b2)
        return _Bottleneck.apply(x, *params, source, norm)
