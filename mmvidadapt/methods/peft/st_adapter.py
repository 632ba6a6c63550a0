"""ST-Adapter: a bottleneck that convolves over time."""

from functools import partial
from typing import Any, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmvidadapt.trunks.parts.block import ViTBlock
from mmvidadapt.trunks.parts.lean import Lean
from mmvidadapt.trunks.parts.lean_block import LeanViTBlock, learns
from mmvidadapt.trunks.parts.lean_temporal_conv import LeanTemporalConv
from mmvidadapt.trunks.parts.linear import Linear
from mmvidadapt.trunks.parts.temporal_conv import TemporalConv
from mmvidadapt.trunks.vit import ViTTrunk
from mmvidadapt.utils.check_choices import check_choices

PLACES = ('attn', 'mlp')


class SpatioTemporalAdapter(nn.Module):
    """``GELU(DWConv3D(x W_down)) W_up`` on the patches of a clip.

    The depthwise convolution has the paper's kernel (3, 1, 1): every patch
    meets itself in the frames before and after. Class token and registers
    have no such neighbours and are passed by.

    Args:
        embed_dims (int): Number of channels C.
        width (int): Width of the bottleneck D.
        num_frames (int): Number of frames T.
    """

    Linear, TemporalConv = nn.Linear, TemporalConv

    prefix = 1  # tokens P before the patches; the trunk says how many

    def __init__(self, embed_dims: int, width: int, num_frames: int) -> None:
        super().__init__()
        self.num_frames = num_frames
        self.down = self.Linear(embed_dims, width)
        self.conv = self.TemporalConv(width)
        self.up = self.Linear(width, embed_dims)
        nn.init.trunc_normal_(self.down.weight, std=0.02)
        for param in (self.down.bias, self.conv.bias, *self.up.parameters()):
            nn.init.zeros_(param)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the patches of x learn, x: (B*T, P+N, C)."""
        prefix, patches = x[:, : self.prefix], x[:, self.prefix :]
        narrow = self.down(patches)  # (B*T, N, D)
        clips = rearrange(narrow, '(b t) n d -> b t n d', t=self.num_frames)
        added = self.up(F.gelu(self.conv(clips)))  # (B, T, N, C)
        return torch.cat([prefix, patches + added.flatten(0, 1)], dim=1)


class LeanSpatioTemporalAdapter(Lean, SpatioTemporalAdapter):
    """Lean twin of :class:`SpatioTemporalAdapter`."""

    Linear, TemporalConv = Linear, LeanTemporalConv

    def forward(self, x: Tensor) -> Tensor:
        """Add what the patches of x learn, x: (B*T, P+N, C)."""
        # Of all tokens, so that x need not be copied without its prefix.
        narrow = self.down(x)  # (B*T, P+N, D)
        if learns(self, narrow):
            out = checkpoint(
                self.widen,
                narrow,
                use_reentrant=False,
                preserve_rng_state=False,
            )
        else:
            out = self.widen(narrow)
        return F.pad(out, (0, 0, self.prefix, 0)) + x  # (B*T, P+N, C)

    def widen(self, narrow: Tensor) -> Tensor:
        """Convolve and project, (B*T, P+N, D) -> (B*T, N, C)."""
        clips = rearrange(
            narrow[:, self.prefix :],
            '(b t) n d -> b t n d',
            t=self.num_frames,
        )
        return self.up(F.gelu(self.conv(clips)).flatten(0, 1))


class STAdapterBlock(ViTBlock):
    """ViT block with adapters before its attention, its MLP, or both.

    Args:
        num_frames (int): Number of frames T.
        places (Sequence[str]): What adapters stand before.
        adapter_dims (int): Width of the bottlenecks.
        **block: Passed on to :class:`ViTBlock`.
    """

    Adapter = SpatioTemporalAdapter

    def __init__(
        self,
        num_frames: int,
        places: Sequence[str],
        adapter_dims: int,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        sizes = block['embed_dims'], adapter_dims
        for place in PLACES:
            adapter = nn.Identity()
            if place in places:
                adapter = self.Adapter(*sizes, num_frames)
            setattr(self, f'{place}_adapter', adapter)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = self.attn_adapter(x)  # (B*T, P+N, C)
        x = x + self.drop_path(self.attn(self.ln_1(x)))  # (B*T, P+N, C)
        x = self.mlp_adapter(x)  # (B*T, P+N, C)
        return x + self.drop_path(self.mlp(self.ln_2(x)))


class LeanSTAdapterBlock(LeanViTBlock, STAdapterBlock):
    """Lean twin of :class:`STAdapterBlock`."""

    Adapter = LeanSpatioTemporalAdapter

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens of all frames, x: (B*T, P+N, C)."""
        x = self.attn_adapter(x)
        h, query = self.ln_1(x), None
        if self.only_readout:
            x, query = self.keep_read(x), self.keep_read(h)  # (B*T, 1, C)
        x = x + self.drop_path(self.attn(h, query))  # (B*T, P+N, C)
        if not self.only_readout:  # the class token has nothing to adapt
            x = self.mlp_adapter(x)
        return x + self.drop_path(self.run_mlp(x))


@MODELS.register_module()
class STAdapter(ViTTrunk):
    """A frozen image ViT whose adapters look at neighbouring frames.

    From `ST-Adapter: Parameter-Efficient Image-to-Video Transfer Learning
    <https://arxiv.org/abs/2206.13559>`_ (NeurIPS 2022), section 3.3. Only
    patches are adapted; class token and registers learn of other frames by
    attending to them. An adapter before the last MLP would reach no class
    token, so there is none where that is what is read. Input
    ``(B, 3, T, H, W)``, output ``(B, C, T, 1, 1)``.

    Args:
        num_frames (int): Number of frames T. Defaults to 8.
        places (Sequence[str]): What adapters stand before in every block:
            ``('attn',)`` on Kinetics, ``('attn', 'mlp')`` on
            Something-Something. Defaults to ('attn',).
        adapter_dims (int): Width of the bottlenecks. Defaults to 384.
        **trunk: Passed on to :class:`ViTTrunk`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    trainable = (r'.*\.(attn|mlp)_adapter\..*',)
    new = trainable

    def __init__(
        self,
        num_frames: int = 8,
        places: Sequence[str] = ('attn',),
        adapter_dims: int = 384,
        **trunk: Any,
    ) -> None:
        check_choices('places', places, PLACES)
        for name, value in (
            ('num_frames', num_frames),
            ('adapter_dims', adapter_dims),
        ):
            if value < 1:
                raise ValueError(f'{name}={value}: give at least 1.')
        super().__init__(
            block=partial(
                LeanSTAdapterBlock,
                num_frames=num_frames,
                places=places,
                adapter_dims=adapter_dims,
            ),
            **trunk,
        )
        self.num_frames = num_frames
        for module in self.modules():
            if isinstance(module, SpatioTemporalAdapter):
                module.prefix = self.num_prefix_tokens
        if self.out_type == 'cls_token':
            self.transformer.resblocks[-1].mlp_adapter = nn.Identity()
        self.freeze()

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B*T, P+N, C)."""
        if video.ndim == 5 and video.shape[2] != self.num_frames:
            raise ValueError(
                f'STAdapter with num_frames={self.num_frames} got a clip of '
                f'{video.shape[2]} frames; set num_frames or clip_len.'
            )
        return super().embed(video)
