"""Read a frame with one learned query, as SigLIP and PE do."""

import torch
from torch import Tensor, nn

from .block import make_mlp


class AttentionPool(nn.Module):
    """Multi-head attention pooling: ``y = MHA(probe, x, x); y + MLP(LN y)``.

    Proposed in `Scaling Vision Transformers
    <https://arxiv.org/abs/2106.04560>`_ as MAP, after `Set Transformer
    <https://arxiv.org/abs/1810.00825>`_.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads; it divides C.
        mlp_ratio (float): Width of the MLP relative to C.
        act (str): Activation of the MLP, see :class:`ViTBlock`.
        eps (float): Epsilon of the norm.

    Raises:
        ValueError: If the heads do not divide the channels.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float,
        act: str,
        eps: float,
    ) -> None:
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(
                f'pool_heads={num_heads} does not divide '
                f'embed_dims={embed_dims}.'
            )
        self.probe = nn.Parameter(torch.zeros(embed_dims))
        self.attn = nn.MultiheadAttention(
            embed_dims, num_heads, batch_first=True
        )
        self.layernorm = nn.LayerNorm(embed_dims, eps=eps)
        self.mlp = make_mlp(embed_dims, round(embed_dims * mlp_ratio), act)
        nn.init.trunc_normal_(self.probe, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Read the tokens of sequences, (S, L, C) -> (S, 1, C)."""
        probe = self.probe.expand(x.shape[0], 1, -1)  # (S, 1, C)
        y, _ = self.attn(probe, x, x, need_weights=False)  # (S, 1, C)
        y = y.to(x.dtype)  # under autocast, sums are in full precision
        return y + self.mlp(self.layernorm(y))  # (S, 1, C)
