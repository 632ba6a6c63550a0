"""The block of DualPath: one frozen block, two adapted paths."""

import math
from typing import Any, List, Optional, Tuple, Union

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.parts.lean_adapter import LeanAdapter, bottleneck
from mmvidadapt.trunks.parts.lean_attention import project
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock
from mmvidadapt.trunks.parts.linear import linear
from mmvidadapt.trunks.parts.precision import full_precision

from .add_paths import add_paths

Heads = Tuple[Tensor, Tensor, Tensor]


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


class PathAdapter(LeanAdapter):
    """Bottleneck adapter that can also stand before a frozen projection.

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
        # As PyTorch initialises linear layers.
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))

    def before(
        self,
        weight: Tensor,
        bias: Tensor,
        x: Tensor,
        source: Tensor,
        norm: nn.LayerNorm,
    ) -> Tensor:
        """Project the adapted x without forming it.

        The up-projection and the projection are multiplied once per step
        instead of one after the other per token.

        Args:
            weight (Tensor): Of the projection, ``(D, C)``.
            bias (Tensor): ``(D,)``.
            x (Tensor): Tokens ``(..., C)``.
            source (Tensor): Where ``x == norm(source)``.
            norm (nn.LayerNorm): The norm that made ``x``.

        Returns:
            Tensor: ``(..., D)``.
        """
        if not self.folds(x):
            return linear(self(x, source, norm), weight, bias)
        with full_precision(x):
            folded = linear(weight, self.up.weight.t())  # (D, width)
            bias = F.linear(self.up.bias, weight, bias)
        down = (self.down.weight, self.down.bias)
        return bottleneck(
            x, down, (folded, bias), self.act, source, norm, self.dropout
        )


class DualPathBlock(LeanViTBlock):
    """ViT block adapted in series for framesets, in parallel for frames.

    All images are one tensor: the framesets of all clips, then their frames.
    A path without images has no adapters. Drop path drops all that half a
    block adds to an image.

    Args:
        images (Tuple[int, int]): Framesets and frames of a clip.
        bottleneck (int | float): Width of the adapters, or relative to C.
        temporal_pre_adapter (bool): Whether there is an adapter before the
            temporal attention, too.
        dropout (float): Rate inside the adapters.
        **block: Passed on to :class:`LeanViTBlock`.
    """

    plain = classmethod(lambda cls: cls)  # TODO: no twin yet

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
            return PathAdapter(dims, bottleneck, dropout) if wanted else None

        temporal, spatial = (number > 0 for number in images)
        self.t_adapter_attn_b = adapter(temporal and temporal_pre_adapter)
        self.t_adapter_attn = adapter(temporal)
        self.t_adapter_mlp = adapter(temporal)
        self.s_adapter_attn = adapter(spatial)
        self.s_adapter_mlp = adapter(spatial)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all images, see :class:`LeanViTBlock`."""
        h = self.ln_1(x)
        at, as_ = self.attend(x, h)  # of framesets, of frames
        if self.only_readout:
            x, h = x[:, :1], h[:, :1]  # (B*(G+S), 1, C)
        frozen = self.attn.out_proj
        in_time = _serial(self.t_adapter_attn, frozen, at)
        (_, xs), (_, hs) = self.split(x), self.split(h)
        in_space = _parallel(
            self.s_adapter_attn, frozen, as_, (hs, xs, self.ln_1)
        )
        x = self.add(x, in_time, in_space)

        y = self.ln_2(x)
        zt, zs = self.run_mlp(x, y)  # (B*G, N, 4C), (B*S, N, 4C)
        frozen = self.mlp.c_proj
        in_time = _serial(self.t_adapter_mlp, frozen, zt)
        (_, xs), (_, ys) = self.split(x), self.split(y)
        in_space = _parallel(
            self.s_adapter_mlp, frozen, zs, (ys, xs, self.ln_2)
        )
        return self.add(x, in_time, in_space)

    def split(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Slice all images into framesets (B*G, ...) and frames (B*S, ...)."""
        return split_paths(x, self.images)

    def add(self, x: Tensor, *deltas: Optional[Tensor]) -> Tensor:
        """Add what each path says, where there is one."""
        deltas = [self.drop_path(d) for d in deltas if d is not None]
        return add_paths(x, *deltas)

    def attend(self, x: Tensor, h: Tensor) -> Tuple[Tensor, Tensor]:
        """Attend within the images of both paths, heads side by side."""
        parts = []
        for q, k, v in self.project(x, h):
            out = F.scaled_dot_product_attention(q, k, v)
            parts.append(rearrange(out, 'f m n d -> f n (m d)'))
        return parts if len(parts) == 2 else self.split(parts[0])

    def project(self, x: Tensor, h: Tensor) -> List[Heads]:
        """Give queries, keys and values, (images, heads, tokens, d).

        Once for all images; path by path where the temporal one has an
        adapter of its own before them.
        """
        weight, bias = self.attn.in_proj_weight, self.attn.in_proj_bias
        heads = self.attn.num_heads

        def frozen(h: Tensor) -> Heads:
            query = h[:, :1] if self.only_readout else None
            return project(h, weight, bias, heads, query)

        if self.t_adapter_attn_b is None:
            return [frozen(h)]
        (xt, _), (ht, hs) = self.split(x), self.split(h)
        # Queries of all tokens, too: the adapter's dropout is drawn once.
        qkv = self.t_adapter_attn_b.before(weight, bias, ht, xt, self.ln_1)
        q, k, v = rearrange(
            qkv, 'f n (three m d) -> three f m n d', three=3, m=heads
        )
        in_time = (q[:, :, :1] if self.only_readout else q), k, v
        return [in_time, frozen(hs)] if self.images[1] else [in_time]

    def norm_mlp(
        self, x: Tensor, normed: Optional[Tensor] = None
    ) -> Tuple[Tensor, ...]:
        """Run the first half of the MLP, which both paths share.

        Each path is activated by itself: what one keeps for backward would
        keep the other's 4C channels, too.
        """
        y = self.ln_2(x) if normed is None else normed
        return tuple(map(self.mlp.act, self.split(self.mlp.c_fc(y))))


def _serial(
    adapter: Optional[PathAdapter], frozen: nn.Linear, h: Tensor
) -> Optional[Tensor]:
    """Adapt what a frozen layer makes of h; there is no way around."""
    return None if adapter is None else adapter.after(frozen, h)


def _parallel(
    adapter: Optional[PathAdapter],
    frozen: nn.Linear,
    h: Tensor,
    normed: Tuple[Tensor, Tensor, nn.LayerNorm],
) -> Optional[Tensor]:
    """Add an adapter of the half block's input to its frozen output."""
    return None if adapter is None else frozen(h) + adapter(*normed)
