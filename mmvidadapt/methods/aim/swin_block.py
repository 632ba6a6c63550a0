"""AIM's block on Swin: a frozen block adapted in time, space and both."""

from typing import Any, Optional, Sequence

import torch
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.drop_path import DropPath
from mmvidadapt.trunks.parts.swin_block import SwinBlock


class AIMSwinBlock(SwinBlock):
    """Swin block adapted in time (unshifted blocks), in space and in both.

    `AIM <https://arxiv.org/abs/2302.03024>`_ on Swin: one frozen attention
    and one frozen ``norm1`` serve both directions. Letters: T' frames of
    patches, N tokens of a frame.

    Args:
        num_frames (int): Number of patch frames T'.
        adapt (Sequence[str]): Which adaptations are on.
        adapter_ratio (float): Width of the bottlenecks relative to C.
        adapter_scale (float): Factor of the joint adapter.
        drop_path (float): Drop-path rate of the adapters.
        official_drop (bool): Whether drop path drops what the official code
            drops: positions in time, frames in the joint adapter.
        **block: Passed on to :class:`SwinBlock`.
    """

    Adapter = Adapter

    def __init__(
        self,
        num_frames: int,
        adapt: Sequence[str],
        adapter_ratio: float,
        adapter_scale: float,
        drop_path: float,
        official_drop: bool,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.num_frames, self.scale = num_frames, adapter_scale

        def adapter(wanted: bool) -> Optional[Adapter]:
            dims = block['embed_dims']
            return self.Adapter(dims, adapter_ratio) if wanted else None

        self.s_adapter = adapter('spatial' in adapt)
        self.mlp_adapter = adapter('joint' in adapt)
        self.t_adapter = adapter('temporal' in adapt and not block['shifted'])
        if self.t_adapter is not None:
            self._add_time_bias(block['num_heads'])
        per = ('position', 'frame') if official_drop else ('sample', 'sample')
        self.t_drop = DropPath(drop_path, num_frames, per[0])
        self.mlp_drop = DropPath(drop_path, num_frames, per[1])

    def _add_time_bias(self, num_heads: int) -> None:
        """Add a table of the bias of every distance in time."""
        table = torch.empty(2 * self.num_frames - 1, num_heads)
        self.attn.temporal_position_bias_table = nn.Parameter(table)
        nn.init.trunc_normal_(table, std=0.02)
        t = torch.arange(self.num_frames)
        index = t[:, None] - t + self.num_frames - 1  # (T', T')
        self.register_buffer('time_index', index, persistent=False)

    def time_bias(self) -> Tensor:
        """Look up the bias of every pair of frames, (1, heads, T', T')."""
        table = self.attn.temporal_position_bias_table
        return table[self.time_index].permute(2, 0, 1)[None]

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T', N, C)."""
        if self.t_adapter is not None:
            x = x + self.t_drop(self.temporal_branch(x))
        h = self.attend_windows(self.norm1(x))  # (B*T', N, C)
        x = x + h  # (B*T', N, C)
        if self.s_adapter is not None:
            x = x + self.s_adapter(h)  # (B*T', N, C)
        h = self.norm2(x)  # (B*T', N, C)
        x = x + self.mlp(h)  # (B*T', N, C)
        if self.mlp_adapter is not None:
            x = x + self.scale * self.mlp_drop(self.mlp_adapter(h))
        return x

    def temporal_branch(self, x: Tensor) -> Tensor:
        """Attend over time: every position is a sequence of T' tokens."""
        h = rearrange(
            self.norm1(x), '(b t) n c -> (b n) t c', t=self.num_frames
        )
        h = self.t_adapter(self.attn(h, self.time_bias()))  # (B*N, T', C)
        return rearrange(h, '(b n) t c -> (b t) n c', n=x.shape[1])
