"""The image Swin under AIM: patches of two frames, stages, a last norm."""

from typing import Any, Callable, Dict, List, Tuple, Union

from einops import rearrange
from torch import Tensor, nn

from .base import AdaptedBackbone
from .dialects import resolve
from .parts.drop_path import linear_rates
from .parts.lean_swin_block import LeanPatchMerging, LeanSwinBlock
from .use_trunk import use_trunk

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


class SwinTrunk(AdaptedBackbone):
    """Image Swin that looks at pairs of frames one by one.

    Base class of the methods: they pass their own ``block``, add their own
    parameters, and end their constructor with :meth:`freeze`. Parameters
    carry the names of Microsoft's checkpoints. A patch spans two frames,
    T' = T / 2.

    Args:
        arch (str | dict): Name in ``ARCHS`` or a dict with ``embed_dims,
            depths, num_heads, window_size``. Defaults to None: the trunk's,
            else ``'base'``.
        num_frames (int): Number of frames T, even. Defaults to 32.
        img_size (int | Tuple[int, int]): Height and width of a frame in
            pixels. Defaults to None: the trunk's, else 224.
        drop_path_rate (float): Drop-path rate of the last block; it rises
            linearly from 0. Defaults to 0.2.
        block (Callable): Builds a block from its sizes. For subclasses.
            Defaults to :class:`LeanSwinBlock`.
        **backbone: ``trunk, pretrained, trainable, full_finetune, with_cp,
            lean, init_cfg``, passed on to :class:`AdaptedBackbone`; for
            ``trunk`` see :class:`ViTTrunk`.
    """

    trunk_families = ('swin',)
    patch_size = (2, 4, 4)

    def __init__(
        self,
        arch: Union[str, dict, None] = None,
        num_frames: int = 32,
        img_size: Union[int, Tuple[int, int], None] = None,
        drop_path_rate: float = 0.2,
        block: Callable[..., nn.Module] = LeanSwinBlock,
        **backbone: Any,
    ) -> None:
        given = dict(backbone, arch=arch, img_size=img_size)
        given = use_trunk(self, dict(arch=ARCHS), given)
        arch, img_size = given.pop('arch'), given.pop('img_size') or 224
        super().__init__(**given)
        sizes = resolve('arch', ARCHS, arch or 'base')
        if isinstance(img_size, int):
            img_size = (img_size, img_size)
        self._check_sizes(img_size, num_frames, len(sizes['depths']))
        self.img_size, self.num_frames = img_size, num_frames
        self.embed_dims = sizes['embed_dims']

        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv3d(
            3, self.embed_dims, self.patch_size, self.patch_size
        )
        self.patch_embed.norm = nn.LayerNorm(self.embed_dims)
        rates = linear_rates(drop_path_rate, sum(sizes['depths']))
        self.layers = self._stages(sizes, rates, block)
        self.norm = nn.LayerNorm(self.embed_dims * 2 ** (len(self.layers) - 1))

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
        rates: List[float],
        block: Callable[..., nn.Module],
    ) -> nn.ModuleList:
        """Build the stages under the names of Microsoft's checkpoints."""
        grid = tuple(
            side // p for side, p in zip(self.img_size, self.patch_size[1:])
        )
        dims, stages, rates = sizes['embed_dims'], nn.ModuleList(), iter(rates)
        for i, depth in enumerate(sizes['depths']):
            stage = nn.Module()
            stage.blocks = nn.ModuleList(
                block(
                    embed_dims=dims,
                    num_heads=sizes['num_heads'][i],
                    window_size=sizes['window_size'],
                    grid=grid,
                    shifted=j % 2 == 1,
                    drop_path=next(rates),
                )
                for j in range(depth)
            )
            stage.downsample = None
            if i + 1 < len(sizes['depths']):
                stage.downsample = LeanPatchMerging(dims, grid)
                dims, grid = 2 * dims, (grid[0] // 2, grid[1] // 2)
            stages.append(stage)
        self.grid = grid
        return stages

    def embed(self, video: Tensor) -> Tensor:
        """Turn a clip (B, 3, T, H, W) into tokens (B*T', N, C)."""
        expected = (3, self.num_frames, *self.img_size)
        if tuple(video.shape[1:]) != expected:
            name = type(self).__name__
            raise ValueError(
                f'{name} with num_frames={self.num_frames} and img_size='
                f'{self.img_size} expects (B, {str(expected)[1:]}, not '
                f'{tuple(video.shape)}; set them, clip_len or the crop.'
            )
        x = self.patch_embed.proj(video)  # (B, C, T', H/4, W/4)
        x = rearrange(x, 'b c t h w -> (b t) (h w) c')  # (B*T', N, C)
        return self.patch_embed.norm(x)  # (B*T', N, C)

    def forward(self, video: Tensor) -> Tensor:
        """Encode a clip.

        Args:
            video (Tensor): Normalised frames ``(B, 3, T, H, W)``.

        Returns:
            Tensor: Features ``(B, 8C, T', H / 32, W / 32)``.
        """
        x = self.embed(video)  # (B*T', H/4 * W/4, C)
        for stage in self.layers:
            for block in stage.blocks:
                x = self.run_block(block, x)  # (B*T', H*W, C)
            if stage.downsample is not None:
                x = stage.downsample(x)  # a quarter of the tokens, twice C
        x = self.norm(x)  # (B*T', H/32 * W/32, 8C)
        t, h = self.num_frames // self.patch_size[0], self.grid[0]
        return rearrange(x, '(b t) (h w) c -> b c t h w', t=t, h=h)
