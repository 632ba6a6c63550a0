"""AIM on Swin: an image Swin with temporal, spatial and joint adapters."""

from typing import Any, Dict, Sequence, Tuple, Union

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.trunks.base import AdaptedBackbone
from mmvidadapt.trunks.parts.drop_path import linear_rates
from mmvidadapt.trunks.swin import PatchMerging
from mmvidadapt.trunks.vit import resolve
from mmvidadapt.utils.check_choices import check_choices

from .backbone import ADAPTATIONS
from .swin_block import AIMSwinBlock

_ARCH_KEYS = ('embed_dims', 'depths', 'num_heads', 'window_size')
ARCHS = {
    name: dict(zip(_ARCH_KEYS, sizes))
    for name, sizes in {
        'tiny': (16, (2, 2), (2, 4), 4),
        'swin-t': (96, (2, 2, 6, 2), (3, 6, 12, 24), 7),
        'base': (128, (2, 2, 18, 2), (4, 8, 16, 32), 7),
        'large': (192, (2, 2, 18, 2), (6, 12, 24, 48), 7),
    }.items()
}


@MODELS.register_module()
class AIMSwin(AdaptedBackbone):
    """A frozen image Swin with spatial, temporal and joint adapters.

    From `AIM: Adapting Image Models for Efficient Video Action Recognition
    <https://arxiv.org/abs/2302.03024>`_ (ICLR 2023). It equals the official
    ``SwinTransformer2D_Adapter`` element by element. A patch spans two
    frames, T' = T / 2; input ``(B, 3, T, H, W)``, output
    ``(B, 8C, T', H / 32, W / 32)``. The tables of temporal position bias are
    new and yet frozen, as in the official code: keep them with the adapters.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims,
            depths, num_heads, window_size``. ``'tiny'`` is a toy for tests;
            Swin-T is ``'swin-t'``. Defaults to ``'base'``.
        num_frames (int): Number of frames T, even. Defaults to 32.
        adapt (Sequence[str]): Which adaptations are on.
            Defaults to ('spatial', 'temporal', 'joint').
        adapter_ratio (float): Width of the bottlenecks relative to C.
            Defaults to 0.25.
        adapter_scale (float): Factor of the joint adapter. Defaults to 0.5.
        drop_path_rate (float): Drop-path rate of the last block's adapters.
            Defaults to 0.2.
        drop_path_mode (str): ``'sample'`` drops the adapters of whole clips;
            ``'official'`` those of positions (temporal) and frames (joint).
            Defaults to ``'sample'``.
        img_size (int | Tuple[int, int]): Height and width of a frame in
            pixels. Defaults to 224.
        t_relative (bool): Whether frames are told apart by the temporal bias
            alone; else a ``temporal_embedding`` is learned as well.
            Defaults to True.
        **backbone: ``pretrained, trainable, full_finetune, with_cp,
            init_cfg``, passed on to :class:`AdaptedBackbone`.

    Raises:
        ValueError: On unknown values, and in ``forward`` when the clip does
            not have ``num_frames`` frames of ``img_size``.
    """

    trainable = (r'.*_adapter\..*',)
    new = (
        r'.*_adapter\..*',
        'temporal_embedding',
        r'.*\.temporal_position_bias_table',
    )
    family = 'swin'
    patch_size = (2, 4, 4)

    def __init__(
        self,
        arch: Union[str, dict] = 'base',
        num_frames: int = 32,
        adapt: Sequence[str] = ADAPTATIONS,
        adapter_ratio: float = 0.25,
        adapter_scale: float = 0.5,
        drop_path_rate: float = 0.2,
        drop_path_mode: str = 'sample',
        img_size: Union[int, Tuple[int, int]] = 224,
        t_relative: bool = True,
        **backbone: Any,
    ) -> None:
        super().__init__(**backbone)
        check_choices('adapt', adapt, ADAPTATIONS)
        check_choices(
            'drop_path_mode', [drop_path_mode], ('sample', 'official')
        )
        sizes = resolve('arch', ARCHS, arch)
        if isinstance(img_size, int):
            img_size = (img_size, img_size)
        self._check_sizes(img_size, num_frames, len(sizes['depths']))
        self.img_size, self.num_frames = img_size, num_frames

        dims = sizes['embed_dims']
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv3d(
            3, dims, self.patch_size, self.patch_size
        )
        self.patch_embed.norm = nn.LayerNorm(dims)
        self.layers = self._stages(
            sizes,
            linear_rates(drop_path_rate, sum(sizes['depths'])),
            dict(
                num_frames=num_frames // 2,
                adapt=adapt,
                adapter_ratio=adapter_ratio,
                adapter_scale=adapter_scale,
                official_drop=drop_path_mode == 'official',
            ),
        )
        self.norm = nn.LayerNorm(dims * 2 ** (len(self.layers) - 1))
        if not adapt:
            self.trainable = ()
        if not t_relative:
            self.temporal_embedding = nn.Parameter(
                torch.empty(1, num_frames // 2, dims)
            )
            nn.init.trunc_normal_(self.temporal_embedding, std=0.02)
            self.trainable += ('temporal_embedding',)
        self.freeze()

    def _check_sizes(
        self, img_size: Tuple[int, int], num_frames: int, num_stages: int
    ) -> None:
        """Refuse what the stages cannot halve."""
        step = self.patch_size[1] * 2 ** (num_stages - 1)
        if num_frames < 2 or num_frames % self.patch_size[0]:
            raise ValueError(
                f'num_frames={num_frames} is not a multiple of '
                f'{self.patch_size[0]}, the frames of a patch.'
            )
        if any(side % step for side in img_size):
            raise ValueError(
                f'img_size={img_size} is not a multiple of {step}.'
            )

    def _stages(
        self,
        sizes: Dict[str, Any],
        rates: Sequence[float],
        common: Dict[str, Any],
    ) -> nn.ModuleList:
        """Build the stages under the names of Microsoft's checkpoints."""
        grid = tuple(
            side // p for side, p in zip(self.img_size, self.patch_size[1:])
        )
        dims, stages, rates = sizes['embed_dims'], nn.ModuleList(), list(rates)
        for i, depth in enumerate(sizes['depths']):
            stage = nn.Module()
            stage.blocks = nn.ModuleList(
                AIMSwinBlock(
                    embed_dims=dims,
                    num_heads=sizes['num_heads'][i],
                    window_size=sizes['window_size'],
                    grid=grid,
                    shifted=j % 2 == 1,
                    temporal=j % 2 == 0,
                    drop_path=rates.pop(0),
                    **common,
                )
                for j in range(depth)
            )
            stage.downsample = None
            if i + 1 < len(sizes['depths']):
                stage.downsample = PatchMerging(dims, grid)
                dims, grid = 2 * dims, (grid[0] // 2, grid[1] // 2)
            stages.append(stage)
        self.grid = grid
        return stages

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: Features ``(B, 8C, T', H / 32, W / 32)``.
        """
        expected = (3, self.num_frames, *self.img_size)
        if tuple(video.shape[1:]) != expected:
            raise ValueError(
                f'AIMSwin with num_frames={self.num_frames} and img_size='
                f'{self.img_size} expects (B, {str(expected)[1:]}, not '
                f'{tuple(video.shape)}; set them, clip_len or the crop.'
            )
        x = self.patch_embed.proj(video)
        t = x.shape[2]
        x = rearrange(x, 'b c t h w -> (b t) (h w) c')
        x = self.patch_embed.norm(x)
        if hasattr(self, 'temporal_embedding'):
            x = rearrange(x, '(b t) n c -> b t n c', t=t)
            x = x + self.temporal_embedding[:, :, None]
            x = x.flatten(0, 1)  # (B*T', H*W, C)
        for stage in self.layers:
            for block in stage.blocks:
                x = self.run_block(block, x)
            if stage.downsample is not None:
                x = stage.downsample(x)
        x = self.norm(x)  # (B*T', H/32 * W/32, 8C)
        return rearrange(x, '(b t) (h w) c -> b c t h w', t=t, h=self.grid[0])
