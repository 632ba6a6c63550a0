"""AIM's block: a frozen ViT block adapted in time, in space and in both."""

from typing import Any, Optional, Sequence

from einops import rearrange
from torch import Tensor

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.drop_path import DropPath


class AIMBlock(ViTBlock):
    """ViT block adapted in time, in space and in both.

    Section 3 of `AIM <https://arxiv.org/abs/2302.03024>`_: one frozen
    attention and one frozen ``ln_1`` serve both directions.

    Args:
        num_frames (int): Number of frames T.
        adapt (Sequence[str]): Which adaptations are on.
        num_t_adapters (int): 1: after the temporal attention; 2: one more
            before it.
        adapter_ratio (float): Width of the bottlenecks relative to C.
        adapter_scale (float): Factor of the joint adapter.
        drop_path_per (str): What drop path drops as a whole.
        **block: Passed on to :class:`ViTBlock`.
    """

    Adapter = Adapter

    def __init__(
        self,
        num_frames: int,
        adapt: Sequence[str],
        num_t_adapters: int,
        adapter_ratio: float,
        adapter_scale: float,
        drop_path_per: str,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.num_frames, self.scale = num_frames, adapter_scale

        def adapter(wanted: bool) -> Optional[Adapter]:
            dims = block['embed_dims']
            return self.Adapter(dims, adapter_ratio) if wanted else None

        temporal = 'temporal' in adapt
        self.s_adapter = adapter('spatial' in adapt)
        self.t_adapter = adapter(temporal)
        self.t_adapter_in = adapter(temporal and num_t_adapters == 2)
        self.mlp_adapter = adapter('joint' in adapt)
        self.drop_path = DropPath(
            block['drop_path'], num_frames, drop_path_per
        )

    def forward(self, x: Tensor) -> Tensor:
        """Adapt the tokens of all frames, x: (B*T, P+N, C)."""
        if self.t_adapter is not None:
            x = x + self.drop_path(self.temporal_branch(x))
        h = self.attn(self.ln_1(x))  # (B*T, P+N, C)
        x = x + h
        if self.s_adapter is not None:
            x = x + self.s_adapter(h)
        h = self.ln_2(x)  # (B*T, P+N, C)
        x = x + self.mlp(h)
        if self.mlp_adapter is not None:
            x = x + self.scale * self.drop_path(self.mlp_adapter(h))
        return x

    def temporal_branch(self, x: Tensor) -> Tensor:
        """Attend over time: every patch is a sequence of T tokens."""
        h = rearrange(
            self.ln_1(x), '(b t) n c -> (b n) t c', t=self.num_frames
        )
        if self.t_adapter_in is not None:
            h = h + self.t_adapter_in(h)  # (B*(P+N), T, C)
        h = self.t_adapter(self.attn(h, positions=False))  # (B*(P+N), T, C)
        return rearrange(h, '(b n) t c -> (b t) n c', n=x.shape[1])
