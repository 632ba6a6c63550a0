"""A block of AIM on Swin, adapted in time, in space and in both."""

from typing import Any, Sequence, Union

import torch
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.drop_path import DropPath
from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter
from mmvidadapt.trunks.swin import SwinBlock


class AIMSwinBlock(SwinBlock):
    """Swin block adapted in time (unshifted blocks), space and both.

    One frozen attention and one frozen ``norm1`` serve both directions.

    Args:
        num_frames (int): Number of patch frames T'.
        temporal (bool): Whether this block attends over time.
        adapt (Sequence[str]): Which adaptations are on.
        adapter_ratio (float): Width of the bottlenecks relative to C.
        adapter_scale (float): Factor of the joint adapter.
        drop_path (float): Drop-path rate of the adapters.
        official_drop (bool): Whether drop path drops what the official code
            drops: positions in time, frames in the joint adapter.
        **block: Passed on to :class:`SwinBlock`.
    """

    def __init__(
        self,
        num_frames: int,
        temporal: bool,
        adapt: Sequence[str],
        adapter_ratio: float,
        adapter_scale: float,
        drop_path: float,
        official_drop: bool,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        dims, heads = block['embed_dims'], block['num_heads']
        self.num_frames, self.scale = num_frames, adapter_scale

        def adapter(wanted: bool) -> Union[LeanAdapter, None]:
            return LeanAdapter(dims, adapter_ratio) if wanted else None

        self.s_adapter = adapter('spatial' in adapt)
        self.mlp_adapter = adapter('joint' in adapt)
        self.t_adapter = adapter(temporal and 'temporal' in adapt)
        if self.t_adapter is not None:
            self.attn.temporal_position_bias_table = nn.Parameter(
                torch.empty(2 * num_frames - 1, heads)
            )
            nn.init.trunc_normal_(
                self.attn.temporal_position_bias_table, std=0.02
            )
            t = torch.arange(num_frames)
            self.register_buffer(
                'time_index', t[:, None] - t + num_frames - 1, persistent=False
            )
        self.t_drop = DropPath(
            drop_path, num_frames, 'position' if official_drop else 'sample'
        )
        self.mlp_drop = DropPath(
            drop_path, num_frames, 'frame' if official_drop else 'sample'
        )

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, (B*T', H*W, C)."""
        if self.t_adapter is not None:
            x = x + self.t_drop(self.temporal(x))

        h = self.attend_windows(self.norm1(x))  # (B*T', P*P, windows, C)
        y = self.attn.proj(h)
        if self.s_adapter is not None:
            y = y + self.s_adapter.after(self.attn.proj, h)
        x = x + self.join(y)

        y = self.norm2(x)
        out = x + self.run_mlp(x, y)
        if self.mlp_adapter is not None:
            adapted = self.mlp_drop(self.mlp_adapter(y, x, self.norm2))
            out = out.add_(adapted, alpha=self.scale)
        return out

    def temporal(self, x: Tensor) -> Tensor:
        """Reuse the frozen attention over time: one position, all frames."""
        h = self.norm1(x)
        h = rearrange(h, '(b t) n c -> b t n c', t=self.num_frames)
        bias = self.attn.temporal_position_bias_table[self.time_index]
        bias = bias.permute(2, 0, 1)  # (heads, T', T')
        h = self.attn.attend(h, bias)  # (B, T', H*W, C)
        return self.t_adapter.after(self.attn.proj, h.flatten(0, 1))
