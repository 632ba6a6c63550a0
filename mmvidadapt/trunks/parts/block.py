"""The transformer block of an image ViT, in CLIP's parameter names."""

from collections import OrderedDict
from typing import Iterable, Optional

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .activation import ACTIVATIONS
from .attention import Attention
from .drop_path import DropPath
from .linear import Linear, as_built, linear, renorm
from .tracing import is_exported


def learns(module: nn.Module, x: Tensor) -> bool:
    """Say whether autograd would keep anything for ``module(x)``."""
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
    normed = norm(x) if normed is None else normed
    if not (as_built(first, second) and isinstance(act, nn.GELU)):
        return second(act(first(normed)))
    hidden = linear(normed, first.weight, first.bias, x, renorm(norm))
    return linear(act(hidden), second.weight, second.bias, hidden, act)


class MLPRunner(nn.Module):
    """Runs the MLP of a block, keeping its activations or not.

    Args:
        recompute_mlp (bool): Whether to compute the MLP's first half again
            in the backward pass instead of keeping its 4C channels per token.
            Defaults to False.
    """

    def __init__(self, recompute_mlp: bool = False) -> None:
        super().__init__()
        self.recompute_mlp = recompute_mlp

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


class ViTBlock(MLPRunner):
    """Pre-norm block: attention, then MLP.

    Proposed in `An Image is Worth 16x16 Words
    <https://arxiv.org/abs/2010.11929>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of attention heads.
        mlp_ratio (float): Width of the MLP relative to C. Defaults to 4.0.
        act (str): ``'quick_gelu'`` or ``'gelu'``.
            Defaults to ``'quick_gelu'``.
        eps (float): Epsilon of the layer norms. Defaults to 1e-5.
        drop_path (float): Drop-path rate of the block. Defaults to 0.0.
        recompute_mlp (bool): See :class:`MLPRunner`. Defaults to False.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        act: str = 'quick_gelu',
        eps: float = 1e-5,
        drop_path: float = 0.0,
        recompute_mlp: bool = False,
    ) -> None:
        super().__init__(recompute_mlp)
        hidden = int(embed_dims * mlp_ratio)
        self.ln_1 = nn.LayerNorm(embed_dims, eps=eps)
        self.attn = Attention(embed_dims, num_heads)
        self.ln_2 = nn.LayerNorm(embed_dims, eps=eps)
        self.mlp = nn.Sequential(
            OrderedDict(
                c_fc=Linear(embed_dims, hidden),
                act=ACTIVATIONS[act](),
                c_proj=Linear(hidden, embed_dims),
            )
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, cls_only: bool = False) -> Tensor:
        """Transform the tokens of all frames.

        Args:
            x (Tensor): Tokens ``(B*T, 1+N, C)``.
            cls_only (bool): Whether only the class token is read afterwards.
                Defaults to False.

        Returns:
            Tensor: ``(B*T, 1+N, C)``, or ``(B*T, 1, C)`` with ``cls_only``.
        """
        h = self.ln_1(x)
        if cls_only:
            x, query = x[:, :1], h[:, :1]  # (B*T, 1, C)
        else:
            query = None
        made = (None, None) if cls_only else (x, renorm(self.ln_1))
        x = x + self.drop_path(self.attn(h, query, made))
        return x + self.drop_path(self.run_mlp(x))
