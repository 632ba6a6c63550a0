"""Stages of Video Swin under its parameter names, and its sizes."""

from typing import Any, Callable, Dict, Iterator, Optional, Tuple

from einops import rearrange
from torch import Tensor, nn

from .parts.lean_swin_block import LeanPatchMerging
from .parts.lean_video_swin_block import LeanSwin3DBlock
from .parts.window3d import Sides, Windows3D
from .use_trunk import use_trunk

FRAMES, SIDE = 2, 4  # of a patch
ARCHS = {
    name: dict(zip(('embed_dims', 'depths', 'num_heads'), sizes))
    for name, sizes in {
        'tiny': (16, (2, 2), (2, 4)),
        'swin-t': (96, (2, 2, 6, 2), (3, 6, 12, 24)),
        'small': (96, (2, 2, 18, 2), (3, 6, 12, 24)),
        'base': (128, (2, 2, 18, 2), (4, 8, 16, 32)),
        'large': (192, (2, 2, 18, 2), (6, 12, 24, 48)),
    }.items()
}


def swin_arguments(
    backbone: nn.Module,
    trunk: Any,
    arch: Any,
    img_size: Any,
    pretrained: Optional[str],
) -> Tuple[Any, Any, Optional[str]]:
    """Fill a Video Swin's arguments in from its trunk, or by default.

    Args:
        backbone (nn.Module): The backbone.
        trunk (str | dict, optional): See :func:`~.table.find_trunk`.
        arch (str | dict, optional): None: the trunk's, else ``'base'``.
        img_size (int | Tuple[int, int], optional): None: 224.
        pretrained (str, optional): ``''``: the trunk's, else None.

    Returns:
        Tuple: ``arch``, ``img_size`` and ``pretrained``.
    """
    given = dict(trunk=trunk, arch=arch, img_size=img_size)
    if pretrained != '':
        given['pretrained'] = pretrained
    given = use_trunk(backbone, dict(arch=ARCHS), given)
    return (
        given['arch'] or 'base',
        given['img_size'] or 224,
        given.get('pretrained'),
    )


class Swin3DStage(nn.Module):
    """Blocks on maps of one size, and what merges them into smaller ones.

    Args:
        embed_dims (int): Number of channels C.
        num_heads (int): Number of heads.
        windows (Dict[str, Windows3D]): How the maps of each stream are cut.
        window (Tuple[int, int, int]): Frames, height and width of a window.
        rates (Iterator[float]): Drop-path rates of the blocks.
        depth (int): Number of blocks.
        mlp_ratio (float): Width of the MLPs relative to C. Defaults to 4.0.
        scale (float, optional): Factor of the scores. Defaults to None.
        merge (bool): Whether another stage follows. Defaults to True.
        block (Callable): Builds a block from its sizes.
            Defaults to :class:`LeanSwin3DBlock`.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        windows: Dict[str, Windows3D],
        window: Sides,
        rates: Iterator[float],
        depth: int,
        mlp_ratio: float = 4.0,
        scale: Optional[float] = None,
        merge: bool = True,
        block: Callable[..., nn.Module] = LeanSwin3DBlock,
    ) -> None:
        super().__init__()
        self.windows = nn.ModuleDict(windows)
        self.blocks = nn.ModuleList(
            block(
                embed_dims,
                num_heads,
                window,
                shifted=i % 2 == 1,
                mlp_ratio=mlp_ratio,
                scale=scale,
                drop_path=next(rates),
            )
            for i in range(depth)
        )
        self.downsample = None
        if merge:
            grid = next(iter(windows.values())).grid[1:]
            self.downsample = LeanPatchMerging(embed_dims, grid)

    def merge(self, x: Tensor) -> Tensor:
        """Merge (B, T, H, W, C) into (B, T, H / 2, W / 2, 2C)."""
        b, _, h, _, _ = x.shape
        x = rearrange(x, 'b t h w c -> (b t) (h w) c')  # (B*T, H*W, C)
        x = self.downsample(x)  # (B*T, H/2 * W/2, 2C)
        return rearrange(x, '(b t) (h w) c -> b t h w c', b=b, h=h // 2)
