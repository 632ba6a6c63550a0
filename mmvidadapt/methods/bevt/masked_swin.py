"""BEVT's equation: one Video Swin encodes masked clips and images."""

from typing import List, Optional, Sequence, Tuple, Union

import torch
from einops import rearrange
from torch import Tensor, nn

from mmvidadapt.trunks.dialects import resolve
from mmvidadapt.trunks.parts.drop_path import linear_rates
from mmvidadapt.trunks.parts.lean import use_equation_
from mmvidadapt.trunks.parts.window3d import Windows3D
from mmvidadapt.trunks.video_swin import (
    ARCHS,
    FRAMES,
    SIDE,
    Swin3DStage,
    swin_arguments,
)
from mmvidadapt.utils.check_choices import check_choices

from .masked_model import STREAMS, MaskedModel
from .masked_rows import MaskedRows
from .names import load_video_swin

IMAGE_MASK_MODES = ('official', 'swin')
_OPTIONS = dict(mlp_ratio=4.0, qk_scale=None, patch_norm=True)


class MaskedSwin(MaskedModel):
    """Video Swin that hides masked tokens and decodes all of them.

    The equation of :class:`BEVTSwin`, whose arguments are its own: both
    decoders run on whole maps, and of what they predict the masked tokens
    are taken.
    """

    Linear = nn.Linear
    trunk_families = ('swin', 'video_swin')

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        img_size: Union[int, Tuple[int, int], None] = None,
        num_frames: int = 16,
        window_size: Sequence[int] = (8, 7, 7),
        streams: Sequence[str] = STREAMS,
        image_mask_mode: str = 'official',
        drop_path_rate: float = 0.0,
        with_cp: bool = False,
        lean: bool = True,
        pretrained: Optional[str] = '',
        trunk: Union[str, dict, None] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        given = swin_arguments(self, trunk, arch, img_size, pretrained)
        arch, img_size, pretrained = given
        rest = (streams, with_cp, lean, pretrained, init_cfg)
        super().__init__(img_size, num_frames, FRAMES, *rest)
        check_choices('image_mask_mode', [image_mask_mode], IMAGE_MASK_MODES)
        sizes = {**_OPTIONS, **resolve('arch', ARCHS, arch, tuple(_OPTIONS))}
        self.window_size = tuple(window_size)
        self.rigid = image_mask_mode == 'official'
        self._check_sizes(len(sizes['depths']))
        dims = sizes['embed_dims']
        self._add_embeddings(dims, sizes['patch_norm'])
        self.mask_token = nn.Parameter(torch.empty(1, 1, dims))
        self.layers = self._stages(sizes, drop_path_rate)
        self._add_decoders(dims * 2 ** (len(self.layers) - 1))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        self.apply(_init_linear)
        if not lean:
            use_equation_(self)

    def _check_sizes(self, num_stages: int) -> None:
        """Refuse what the stages cannot halve or cut into rigid windows."""
        if num_stages < 2:
            raise ValueError(
                f'arch has {num_stages} stage, and the decoders join two.'
            )
        step, why = SIDE * 2 ** (num_stages - 1), ''
        steps = (step,) * 2
        if 'image' in self.streams and self.rigid:
            steps = tuple(step * side for side in self.window_size[1:])
            why = (
                f', {step} times the sides of the window '
                f"{self.window_size}, in image_mask_mode='official'"
            )
        if any(side % s for side, s in zip(self.img_size, steps)):
            raise ValueError(
                f'img_size={self.img_size} is not a multiple of {steps}{why}'
                '; choose another img_size or window_size.'
            )

    def _add_embeddings(self, dims: int, norm: bool) -> None:
        """Add one patch embedding for each stream."""
        for stream, name, conv, patch in (
            ('video', 'patch_embed', nn.Conv3d, (FRAMES, SIDE, SIDE)),
            ('image', 'patch_embed_2d', nn.Conv2d, (SIDE, SIDE)),
        ):
            if stream in self.streams:
                embed = nn.Module()
                embed.proj = conv(3, dims, patch, patch)
                embed.norm = nn.LayerNorm(dims) if norm else nn.Identity()
                self.add_module(name, embed)

    def _stages(self, sizes: dict, drop_path_rate: float) -> nn.ModuleList:
        """Build the stages under the names of Video Swin."""
        depths, stages = sizes['depths'], nn.ModuleList()
        rates = iter(linear_rates(drop_path_rate, sum(depths)))
        for i, depth in enumerate(depths):
            grid = tuple(side // SIDE // 2**i for side in self.img_size)
            windows = {
                stream: Windows3D(
                    (self._times(stream), *grid),
                    self.window_size,
                    rigid=self.rigid and stream == 'image',
                )
                for stream in self.streams
            }
            stages.append(
                Swin3DStage(
                    sizes['embed_dims'] * 2**i,
                    sizes['num_heads'][i],
                    windows,
                    self.window_size,
                    rates,
                    depth,
                    sizes['mlp_ratio'],
                    sizes['qk_scale'],
                    merge=i + 1 < len(depths),
                )
            )
        self.mask_grid = tuple(2 * side for side in grid)
        return stages

    def _add_decoders(self, dims: int) -> None:
        """Add decoders of D channels; their last norm is shared."""
        if 'image' in self.streams:
            self.fpn = nn.Sequential(nn.ConvTranspose2d(dims, dims, 2, 2))
            self.lm_down = self.Linear(dims // 2 + dims, dims)
        if 'video' in self.streams:
            up, later = (1, 2, 2), (FRAMES, 1, 1)
            self.fpn_s = nn.Sequential(nn.ConvTranspose3d(dims, dims, up, up))
            self.lm_down_st = nn.Sequential(
                self.Linear(dims // 2 + dims, dims)
            )
            self.fpn_t = nn.Sequential(
                nn.ConvTranspose3d(dims, dims, later, later)
            )
        self.norm = nn.LayerNorm(dims)

    def init_weights(self) -> None:
        """Load ``pretrained``."""
        super().init_weights()
        if self.pretrained is not None:
            load_video_swin(self, self.pretrained, self.window_size)

    def embed(self, x: Tensor, mask: Optional[Tensor], stream: str) -> Tensor:
        """Turn pixels into tokens (B, T', H, W, C), masked ones hidden."""
        if stream == 'image':
            patches = self.patch_embed_2d
            x = patches.proj(x)[:, :, None]  # (B, C, 1, H, W)
        else:
            patches = self.patch_embed
            x = patches.proj(x)  # (B, C, T', H, W)
        x = patches.norm(rearrange(x, 'b c t h w -> b t h w c'))
        if mask is None:
            return x
        times = x.shape[2] // mask.shape[2]
        mask = mask.repeat_interleave(times, 2).repeat_interleave(times, 3)
        # The mask is (B, T', H, W) now, as the tokens are.
        return torch.where(mask[..., None], self.mask_token.to(x.dtype), x)

    def encode(
        self, x: Tensor, mask: Optional[Tensor], stream: str
    ) -> List[Tensor]:
        """Encode to the outputs of all stages, before they are merged.

        Args:
            x (Tensor): Normalised clips ``(B, 3, T, H, W)`` or images
                ``(B, 3, H, W)``.
            mask (Tensor, optional): What is hidden, bool ``(B, T', h, w)``.
            stream (str): ``'video'`` or ``'image'``.

        Returns:
            List[Tensor]: Maps ``(B, T', H, W, C)``; T' = 1 for images.
        """
        x, outputs = self.embed(x, mask, stream), []  # (B, T', H, W, C)
        for stage in self.layers:
            for block in stage.blocks:
                x = self.run_block(block, x, stage.windows[stream])
            outputs.append(x)
            if stage.downsample is not None:
                x = stage.merge(x)  # (B, T', H / 2, W / 2, 2C)
        return outputs

    def decode(
        self, features: List[Tensor], rows: Optional[MaskedRows], stream: str
    ) -> Tensor:
        """Decode whole maps and take the rows asked for, or all, (K, D)."""
        fine, x = features[-2:]  # (B, T', h, w, C), (B, T', h/2, w/2, D)
        x = rearrange(x, 'b t h w d -> b d t h w')
        if stream == 'image':
            x = self.fpn(x[:, :, 0])[:, :, None]  # (B, D, 1, h, w)
            x = self.lm_down(_join(fine, x))  # (B, 1, h, w, D)
        else:
            x = self.fpn_s(x)  # (B, D, T', h, w)
            x = self.lm_down_st(_join(fine, x))  # (B, T', h, w, D)
            x = self.fpn_t(rearrange(x, 'b t h w d -> b d t h w'))
            x = rearrange(x, 'b d t h w -> b t h w d')  # (B, T, h, w, D)
        x = self.norm(x).flatten(0, 3)
        return x if rows is None else x[rows.where]


def _join(fine: Tensor, x: Tensor) -> Tensor:
    """Put (B, T, h, w, C) and (B, D, T, h, w) side by side."""
    x = rearrange(x, 'b d t h w -> b t h w d')
    return torch.cat([fine, x], dim=-1)  # (B, T, h, w, C + D)


def _init_linear(module: nn.Module) -> None:
    """Draw linear layers as Swin does."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
