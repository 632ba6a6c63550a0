"""A block of an image ViT whose attention tells what moves."""

from typing import Any, Optional, Tuple

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.lean_block import LeanViTBlock

from .motion import neighbour_attention


class OwnPrecisionNorm(nn.LayerNorm):
    """Layer norm in the precision of its weights; the output has the input's.

    A trunk in half precision keeps its norms in float32: their parameters are
    few, and their sums are what half precision gets wrong.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension of x."""
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class TappedBlock(LeanViTBlock):
    """ViT block that also tells how frames attend to their neighbours.

    Args:
        **block: Passed on to :class:`LeanViTBlock`.
    """

    plain = classmethod(lambda cls: cls)  # TODO: no twin yet

    def __init__(self, **block: Any) -> None:
        super().__init__(**block)
        dims, eps = block['embed_dims'], block.get('eps', 1e-5)
        self.ln_1 = OwnPrecisionNorm(dims, eps=eps)
        self.ln_2 = OwnPrecisionNorm(dims, eps=eps)

    def forward(
        self, x: Tensor, num_frames: int = 0
    ) -> Tuple[Tensor, Optional[Tensor]]:
        """Transform the tokens of all frames.

        Args:
            x (Tensor): Tokens ``(B*T, 1+N, C)``.
            num_frames (int): Number of frames T, where the attention
                between neighbours is wanted. Defaults to 0.

        Returns:
            Tuple[Tensor, Optional[Tensor]]: Tokens ``(B*T, 1+N, C)`` and
            attention ``(B, 2, T-1, N, N)``.
        """
        q, k, v = self.attn.project(self.ln_1(x))  # (B*T, heads, 1+N, d)
        h = F.scaled_dot_product_attention(q, k, v)
        h = rearrange(h, 'f m n d -> f n (m d)')  # (B*T, 1+N, C)
        x = x + self.drop_path(self.attn.out_proj(h))
        x = x + self.drop_path(self.run_mlp(x))
        if not num_frames:
            return x, None
        return x, neighbour_attention(q, k, num_frames)
