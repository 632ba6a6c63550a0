"""The block of an image ViT, keeping little for the backward pass."""

from typing import Iterable, Optional

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .block import ViTBlock
from .lean import Lean
from .lean_attention import LeanAttention
from .linear import Linear, as_built, linear, renorm
from .projection import LeanProjection
from .tracing import is_exported


def learns(module: nn.Module, x: Tensor) -> bool:
    """Check whether autograd would keep anything for ``module(x)``."""
    if is_exported() or not torch.is_grad_enabled():
        return False
    return x.requires_grad or any(
        param.requires_grad for param in module.parameters()
    )


def lean_mlp(
    mlp: Iterable[nn.Module],
    norm: nn.LayerNorm,
    x: Tensor,
    normed: Optional[Tensor] = None,
) -> Tensor:
    """Run an MLP of two layers on ``norm(x)``, keeping little for backward.

    Where the layers are trained, the backward pass norms and activates again
    instead of keeping the inputs of both.

    Args:
        mlp (Iterable[nn.Module]): First layer, activation, second layer.
        norm (nn.LayerNorm): The norm before it.
        x (Tensor): Input of the norm, ``(..., C)``.
        normed (Tensor, optional): Its output. Defaults to None: computed.

    Returns:
        Tensor: ``(..., C)``.
    """
    first, act, second = mlp
    normed = norm(x) if normed is None else normed  # (..., C)
    if not (as_built(first, second) and isinstance(act, nn.GELU)):
        return second(act(first(normed)))  # (..., C)
    hidden = linear(normed, first.weight, first.bias, x, renorm(norm))
    return linear(act(hidden), second.weight, second.bias, hidden, act)


class MLPRunner:
    """Run the MLP of a block, keeping its activations or not.

    ``recompute_mlp`` says whether to compute the first half of the MLP again
    in the backward pass instead of keeping its 4C channels per token.
    """

    recompute_mlp = False

    def norm_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run the MLP on the second norm of x, ``normed`` where known."""
        return lean_mlp(self.mlp, self.ln_2, x, normed)

    def run_mlp(self, x: Tensor, normed: Optional[Tensor] = None) -> Tensor:
        """Run :meth:`norm_mlp` as ``recompute_mlp`` wants it."""
        if self.recompute_mlp and learns(self, x):
            return checkpoint(
                self.norm_mlp, x, use_reentrant=False, preserve_rng_state=False
            )
        return self.norm_mlp(x, normed)


class LeanViTBlock(Lean, MLPRunner, ViTBlock):
    """ViT block that computes and keeps no more than what is read.

    Twin of :class:`ViTBlock`. The trunk sets two attributes:
    ``recompute_mlp``, see :class:`MLPRunner`, and ``only_readout``, whether
    only the first token, the class token, is read afterwards, so that
    ``(B*T, 1, C)`` is all that is returned.
    """

    Attention, Linear = LeanAttention, Linear
    Projection = LeanProjection
    only_readout = False

    def keep_read(self, x: Tensor) -> Tensor:
        """Slice the tokens that are read afterwards, (B*T, 1 or P+N, C)."""
        return x[:, :1] if self.only_readout else x

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        h, query, made = self.ln_1(x), None, (x, renorm(self.ln_1))
        if self.only_readout:
            x, query, made = self.keep_read(x), self.keep_read(h), (None, None)
        x = x + self.drop_path(self.attn(h, query, made))
        return x + self.drop_path(self.run_mlp(x))  # (B*T, 1 or P+N, C)
