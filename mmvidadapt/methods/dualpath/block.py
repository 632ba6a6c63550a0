"""DualPath's block: one frozen ViT block, two adapted paths.

Letters: B clips of G framesets and S frames, all of them images of P+N tokens
(P before the N patches, a CLIP ViT's class token) with C channels.
"""

import math
from typing import Any, Optional, Tuple, Union

import torch
from torch import Tensor, nn

from mmvidadapt.trunks.parts.adapter import Adapter
from mmvidadapt.trunks.parts.block import ViTBlock


def split_paths(x: Tensor, images: Tuple[int, int]) -> Tuple[Tensor, Tensor]:
    """Slice all images, (B*(G+S), ...), into those of the two paths.

    Args:
        x (Tensor): The framesets of all clips, then the frames of all clips.
        images (Tuple[int, int]): Framesets G and frames S of a clip.

    Returns:
        Tuple[Tensor, Tensor]: Views ``(B*G, ...)`` and ``(B*S, ...)``.
    """
    clips = x.shape[0] // sum(images)
    return x.split([clips * number for number in images])


class PathAdapter(Adapter):
    """Bottleneck adapter that starts as PyTorch's linear layers do.

    Args:
        embed_dims (int): Number of channels C.
        bottleneck (int | float): Width, or width relative to C.
        dropout (float): Rate after the activation. Defaults to 0.0.
    """

    def __init__(
        self,
        embed_dims: int,
        bottleneck: Union[int, float],
        dropout: float = 0.0,
    ) -> None:
        given = 'width' if isinstance(bottleneck, int) else 'ratio'
        super().__init__(embed_dims, dropout=dropout, **{given: bottleneck})
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))


class DualPathBlock(ViTBlock):
    """ViT block adapted in series for framesets, in parallel for frames.

    Section 3 of `DualPath <https://arxiv.org/abs/2303.09857>`_. All images
    are one tensor: the framesets of all clips, then their frames. A path
    without images has no adapters. Drop path drops all that half a block
    adds to an image.

    Args:
        images (Tuple[int, int]): Framesets G and frames S of a clip.
        bottleneck (int | float): Width of the adapters, or relative to C.
        temporal_pre_adapter (bool): Whether there is an adapter before the
            temporal attention, too.
        dropout (float): Rate inside the adapters.
        **block: Passed on to :class:`ViTBlock`.
    """

    Adapter = PathAdapter

    def __init__(
        self,
        images: Tuple[int, int],
        bottleneck: Union[int, float],
        temporal_pre_adapter: bool,
        dropout: float,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        self.images = images

        def adapter(wanted: bool) -> Optional[PathAdapter]:
            dims = block['embed_dims']
            return self.Adapter(dims, bottleneck, dropout) if wanted else None

        temporal, spatial = (number > 0 for number in images)
        self.t_adapter_attn_b = adapter(temporal and temporal_pre_adapter)
        self.t_adapter_attn = adapter(temporal)
        self.t_adapter_mlp = adapter(temporal)
        self.s_adapter_attn = adapter(spatial)
        self.s_adapter_mlp = adapter(spatial)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all images, (B*(G+S), P+N, C)."""
        xt, xs = split_paths(x, self.images)  # (B*G, P+N, C), (B*S, P+N, C)
        xt = self.in_time(xt) if self.images[0] else xt
        xs = self.in_space(xs) if self.images[1] else xs
        return torch.cat([xt, xs])  # (B*(G+S), P+N, C)

    def in_time(self, x: Tensor) -> Tensor:
        """Adapt framesets in series: no way around, (B*G, P+N, C)."""
        h = self.ln_1(x)  # (B*G, P+N, C)
        if self.t_adapter_attn_b is not None:
            h = self.t_adapter_attn_b(h)  # (B*G, P+N, C)
        x = x + self.drop_path(self.t_adapter_attn(self.attn(h)))
        h = self.mlp(self.ln_2(x))  # (B*G, P+N, C)
        return x + self.drop_path(self.t_adapter_mlp(h))  # (B*G, P+N, C)

    def in_space(self, x: Tensor) -> Tensor:
        """Adapt frames in parallel to the frozen layers, (B*S, P+N, C)."""
        h = self.ln_1(x)  # (B*S, P+N, C)
        x = x + self.drop_path(self.attn(h) + self.s_adapter_attn(h))
        h = self.ln_2(x)  # (B*S, P+N, C)
        return x + self.drop_path(self.mlp(h) + self.s_adapter_mlp(h))
