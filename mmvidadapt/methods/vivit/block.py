"""Blocks that tell the time of a token from its place."""

from typing import Any, Optional

import torch
from torch import Tensor, nn

from mmvidadapt.trunks.parts.encoder import EncoderBlock
from mmvidadapt.trunks.parts.lean_attention import LeanAttention, Made, attend
from mmvidadapt.trunks.parts.linear import renorm


class SelfAttentionBlock(EncoderBlock):
    """Attention over time, over space, then the MLP.

    ``ln_1`` and ``attn``, as in an image ViT, are those of space.

    Args:
        order (str): Which attention comes first.
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
        self.attn_time = LeanAttention(dims, heads)
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        """Transform tokens (B, T, N, C)."""
        branches = dict(time=self.over_time, space=self.over_space)
        for name in self.order.split('_'):
            x = self.drop_path(x, branches[name])
        return self.drop_path(x, self.run_mlp)

    def over_time(self, x: Tensor) -> Tensor:
        """Let every patch attend to itself at all times, (B, T, N, C)."""
        made = x, renorm(self.ln_time)
        return self.attn_time(self.ln_time(x), made=made)  # along dimension 1

    def over_space(self, x: Tensor) -> Tensor:
        """Let the patches of every time step attend, (B, T, N, C)."""
        frames = self.ln_1(x).flatten(0, 1)  # (B*T, N, C)
        made = x.flatten(0, 1), renorm(self.ln_1)
        return self.attn(frames, made=made).view_as(x)


class DotProductAttention(LeanAttention):
    """Half of the heads attend over time, the other half over space."""

    def forward(
        self,
        x: Tensor,
        query: Optional[Tensor] = None,
        made: Made = (None, None),
    ) -> Tensor:
        """Attend and project, (B, T, N, C)."""
        half = self.num_heads // 2
        weight = self.in_proj_weight.unflatten(0, (3, 2, -1))
        bias = self.in_proj_bias.unflatten(0, (3, 2, -1))
        time = attend(x, weight[:, 0], bias[:, 0], half, made=made)
        source, remake = made
        source = source if source is None else source.flatten(0, 1)
        frames = x.flatten(0, 1)  # (B*T, N, C)
        space = attend(
            frames, weight[:, 1], bias[:, 1], half, made=(source, remake)
        )
        return self.out_proj(torch.cat([time, space.view_as(time)], dim=-1))


class DotProductBlock(EncoderBlock):
    """Block with :class:`DotProductAttention`, in the same parameters.

    Args:
        **block: Passed on to :class:`EncoderBlock`.
    """

    def __init__(self, **block: Any) -> None:
        super().__init__(**block)
        heads = block['num_heads']
        if heads % 2:
            raise ValueError(
                f'num_heads={heads}: half of the heads attend over time and '
                'half over space; give an even number.'
            )
        self.attn = DotProductAttention(block['embed_dims'], heads)
