"""ViViT's blocks in less memory and time: norms are made again, not kept."""

from typing import Optional

import torch
from torch import Tensor

from mmvidadapt.trunks.parts.lean_attention import LeanAttention, Made, attend
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.parts.linear import renorm

from .block import (
    DotProductAttention,
    DotProductBlock,
    EncoderBlock,
    SelfAttentionBlock,
)


class LeanEncoderBlock(LeanViTBlock, EncoderBlock):
    """Lean twin of :class:`EncoderBlock`."""

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of sequences, x: (B, L, C)."""
        read = self.keep_read(x)  # (B, 1 or L, C)
        x = self.drop_path(read, self.attend_to_all, x)  # (B, 1 or L, C)
        return self.drop_path(x, self.run_mlp)

    def attend_to_all(self, x: Tensor) -> Tensor:
        """Attend from what is read to all tokens, (B, L, C)."""
        h, query = self.ln_1(x), None
        if self.only_readout:
            query = self.keep_read(h)  # (B, 1, C)
        return self.attn(h, query, (x, renorm(self.ln_1)))  # (B, 1 or L, C)


class LeanSelfAttentionBlock(LeanEncoderBlock, SelfAttentionBlock):
    """Lean twin of :class:`SelfAttentionBlock`: no token moves."""

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of clips, x: (B, T, N, C)."""
        branches = dict(time=self.along_time, space=self.along_space)
        for name in self.order:
            x = self.drop_path(x, branches[name])  # (B, T, N, C)
        return self.drop_path(x, self.run_mlp)

    def along_time(self, x: Tensor) -> Tensor:
        """Attend from every patch to itself at all times, (B, T, N, C)."""
        made = x, renorm(self.ln_time)
        return self.attn_time(self.ln_time(x), made=made)  # (B, T, N, C)

    def along_space(self, x: Tensor) -> Tensor:
        """Attend between the patches of every time step, (B, T, N, C)."""
        frames = self.ln_1(x).flatten(0, 1)  # (B*T, N, C)
        made = x.flatten(0, 1), renorm(self.ln_1)
        return self.attn(frames, made=made).view_as(x)  # (B, T, N, C)


class LeanDotProductAttention(LeanAttention, DotProductAttention):
    """Lean twin of :class:`DotProductAttention`."""

    def forward(
        self,
        x: Tensor,
        query: Optional[Tensor] = None,
        made: Made = (None, None),
    ) -> Tensor:
        """Attend and project, (B, T, N, C)."""
        half = self.num_heads // 2
        weight = self.in_proj_weight.unflatten(0, (3, 2, -1))  # (3, 2, C/2, C)
        bias = self.in_proj_bias.unflatten(0, (3, 2, -1))  # (3, 2, C/2)
        time = attend(x, weight[:, 0], bias[:, 0], half, made=made)
        source, remake = made
        source = source if source is None else source.flatten(0, 1)
        frames = x.flatten(0, 1)  # (B*T, N, C)
        space = attend(
            frames, weight[:, 1], bias[:, 1], half, made=(source, remake)
        )
        return self.out_proj(torch.cat([time, space.view_as(time)], dim=-1))


class LeanDotProductBlock(LeanEncoderBlock, DotProductBlock):
    """Lean twin of :class:`DotProductBlock`."""

    DotProductAttention = LeanDotProductAttention
