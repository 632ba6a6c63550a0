"""EVL's trunk block: it also yields how frames attend to their neighbours.

Letters: B clips, T frames, P tokens before the N patches of a frame (the class
token of a CLIP ViT), C channels.
"""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.block import ViTBlock


class OwnPrecisionNorm(nn.LayerNorm):
    """Layer norm in the precision of its weights; the output has the input's.

    A trunk in half precision keeps its norms in float32: their parameters are
    few, and their sums are what half precision gets wrong.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension of x."""
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class TappedBlock(ViTBlock):
    """ViT block that also yields how frames attend to their neighbours."""

    def forward(
        self, x: Tensor, num_frames: int = 0, num_prefix_tokens: int = 1
    ) -> Tuple[Tensor, Optional[Tensor]]:
        """Transform the tokens of all frames.

        Args:
            x (Tensor): Tokens ``(B*T, P+N, C)``.
            num_frames (int): Number of frames T, where the attention
                between neighbours is wanted. Defaults to 0.
            num_prefix_tokens (int): Tokens P before the patches.
                Defaults to 1.

        Returns:
            Tuple[Tensor, Optional[Tensor]]: Tokens ``(B*T, P+N, C)`` and
            attention ``(B, 2, T-1, N, N)``.
        """
        q, k, v = self.attn.qkv(self.ln_1(x))  # (B*T, heads, P+N, d) each
        h = F.scaled_dot_product_attention(q, k, v)  # (B*T, heads, P+N, d)
        h = self.attn.out_proj(rearrange(h, 'f m n d -> f n (m d)'))
        x = x + self.drop_path(h)  # (B*T, P+N, C)
        x = x + self.drop_path(self.mlp(self.ln_2(x)))  # (B*T, P+N, C)
        if not num_frames:
            return x, None
        return x, neighbour_attention(q, k, num_frames, num_prefix_tokens)


def neighbour_attention(
    q: Tensor, k: Tensor, num_frames: int, num_prefix_tokens: int = 1
) -> Tensor:
    """Attend from the patches of every frame to those of its neighbours.

    The softmax is taken per head and the heads' probabilities are averaged.

    Args:
        q (Tensor): Queries ``(B*T, heads, P+N, d)``.
        k (Tensor): Keys of the same shape.
        num_frames (int): Number of frames T.
        num_prefix_tokens (int): Tokens P before the patches. Defaults to 1.

    Returns:
        Tensor: ``(B, 2, T-1, N, N)`` in float32 or float64. Entry ``[:, 0,
        t]`` goes from frame ``t+1`` back to ``t``, ``[:, 1, t]`` from frame
        ``t`` on to ``t+1``.
    """
    q, k = patches_of_clips(q, k, num_frames, num_prefix_tokens)

    def attend(q: Tensor, k: Tensor) -> Tensor:
        scores = torch.einsum('btmpd,btmjd->btmpj', q, k) * q.shape[-1] ** -0.5
        return scores.softmax(-1).mean(2)  # (B, T-1, N, N)

    back, forth = attend(q[:, 1:], k[:, :-1]), attend(q[:, :-1], k[:, 1:])
    return torch.stack([back, forth], dim=1)  # (B, 2, T-1, N, N)


def patches_of_clips(
    q: Tensor, k: Tensor, num_frames: int, num_prefix_tokens: int
) -> Tuple[Tensor, Tensor]:
    """Take queries and keys of patches in float32, (B, T, heads, N, d)."""
    dtype = torch.promote_types(q.dtype, torch.float32)
    q, k = (
        rearrange(
            x[..., num_prefix_tokens:, :].to(dtype),
            '(b t) m n d -> b t m n d',
            t=num_frames,
        )
        for x in (q, k)
    )  # (B, T, heads, N, d) each
    return q, k
