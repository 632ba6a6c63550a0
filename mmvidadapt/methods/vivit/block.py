"""ViViT's blocks: one of all tokens, two that tell time from space.

Letters: B clips, T time steps, N patches of a step, P tokens before them, L
tokens of any sequence, C channels, m heads of d channels each.
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.attention import Attention
from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.drop_branch import DropBranch


class EncoderBlock(ViTBlock):
    """Pre-norm block whose branches are left out for dropped clips.

    Args:
        drop_path (float): Drop-path rate of the block. Defaults to 0.0.
        num_frames (int): Rows of the batch that belong to one clip.
            Defaults to 1.
        rescale (bool): See :class:`DropBranch`. Defaults to True.
        **block: Passed on to :class:`ViTBlock`.
    """

    def __init__(
        self,
        drop_path: float = 0.0,
        num_frames: int = 1,
        rescale: bool = True,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.drop_path = DropBranch(drop_path, num_frames, rescale)

    def forward(self, x: Tensor) -> Tensor:
        """Attend between all tokens, then the MLP; x: (B, L, C)."""
        x = self.drop_path(x, lambda x: self.attn(self.ln_1(x)))  # (B, L, C)
        return self.drop_path(x, lambda x: self.mlp(self.ln_2(x)))


class SelfAttentionBlock(EncoderBlock):
    """Model 3: attention over time, over space, then the MLP.

    ``ln_1`` and ``attn``, as in an image ViT, are those of space.

    Args:
        order (str): Which attention comes first, ``'time_space'`` or
            ``'space_time'``.
        drop_path (float): Drop-path rate of the block.
        rescale (bool): False is the official mode, which ignores the rate.
        **block: Passed on to :class:`EncoderBlock`.
    """

    def __init__(
        self, order: str, drop_path: float, rescale: bool, **block: Any
    ) -> None:
        super().__init__(drop_path if rescale else 0.0, **block)
        dims, heads = block['embed_dims'], block['num_heads']
        self.ln_time = nn.LayerNorm(dims, eps=block['eps'])
        self.attn_time = self.Attention(dims, heads)
        self.order = order.split('_')

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of clips, x: (B, T, N, C)."""
        branches = dict(time=self.over_time, space=self.over_space)
        for name in self.order:
            x = self.drop_path(x, branches[name])  # (B, T, N, C)
        return self.drop_path(x, lambda x: self.mlp(self.ln_2(x)))

    def over_time(self, x: Tensor) -> Tensor:
        """Attend from every patch to itself at all times, (B, T, N, C)."""
        h = rearrange(self.ln_time(x), 'b t n c -> (b n) t c')  # (B*N, T, C)
        h = self.attn_time(h)  # (B*N, T, C)
        return rearrange(h, '(b n) t c -> b t n c', n=x.shape[2])

    def over_space(self, x: Tensor) -> Tensor:
        """Attend between the patches of every time step, (B, T, N, C)."""
        h = rearrange(self.ln_1(x), 'b t n c -> (b t) n c')  # (B*T, N, C)
        h = self.attn(h)  # (B*T, N, C)
        return rearrange(h, '(b t) n c -> b t n c', t=x.shape[1])


class DotProductAttention(Attention):
    """Model 4: half of the heads attend over time, the others over space."""

    def forward(self, x: Tensor) -> Tensor:
        """Attend and project, (B, T, N, C)."""
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        qkv = rearrange(
            qkv, 'b t n (p m d) -> p b t n m d', p=3, m=self.num_heads
        )
        time, space = qkv.chunk(2, dim=4)  # (3, B, T, N, m/2, d)
        time = rearrange(time, 'p b t n m d -> p (b n) m t d')
        space = rearrange(space, 'p b t n m d -> p (b t) m n d')
        time = F.scaled_dot_product_attention(*time)  # (B*N, m/2, T, d)
        space = F.scaled_dot_product_attention(*space)  # (B*T, m/2, N, d)
        t, n = x.shape[1:3]
        time = rearrange(time, '(b n) m t d -> b t n (m d)', n=n)
        space = rearrange(space, '(b t) m n d -> b t n (m d)', t=t)
        return self.out_proj(torch.cat([time, space], dim=-1))  # (B, T, N, C)


class DotProductBlock(EncoderBlock):
    """Block with :class:`DotProductAttention`, in the same parameters.

    Args:
        **block: Passed on to :class:`EncoderBlock`.
    """

    DotProductAttention = DotProductAttention

    def __init__(self, **block: Any) -> None:
        super().__init__(**block)
        heads = block['num_heads']
        if heads % 2:
            raise ValueError(
                f'num_heads={heads}: half of the heads attend over time and '
                'half over space; give an even number.'
            )
        self.attn = self.DotProductAttention(block['embed_dims'], heads)
