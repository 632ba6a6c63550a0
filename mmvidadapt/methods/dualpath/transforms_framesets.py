"""DualPath's images, built where the frames are decoded."""

from typing import Dict, Sequence, Tuple

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from .framesets import PATHS, build_framesets, count_images, sample_frames


@TRANSFORMS.register_module()
class BuildFramesets(BaseTransform):
    """Put framesets and sparse frames in the place of a clip's frames.

    After ``FormatShape`` with ``'NCTHW'``; the backbone is told by
    ``framesets_from='pipeline'``. Of 16 frames 9 images leave the worker, of
    64 frames 12.

    Args:
        num_spatial_frames (int): Sparse frames. Defaults to 8.
        grid (Tuple[int, int]): Rows and columns of a frameset.
            Defaults to (4, 4).
        antialias (bool): See :class:`mmvidadapt.models.DualPath`.
            Defaults to False.
        exact (bool): Whether to keep fractions of grey levels, in half
            precision and so in twice the bytes; else they are rounded. Half
            precision holds the quarters of a 4 x 4 grid without antialiasing
            as they are. Defaults to False.
        paths (Sequence[str]): Which images there are, as for the backbone.
            Defaults to ('temporal', 'spatial').
    """

    def __init__(
        self,
        num_spatial_frames: int = 8,
        grid: Tuple[int, int] = (4, 4),
        antialias: bool = False,
        exact: bool = False,
        paths: Sequence[str] = PATHS,
    ) -> None:
        self.num_spatial_frames, self.grid = num_spatial_frames, tuple(grid)
        self.antialias, self.exact = antialias, exact
        self.paths = tuple(paths)

    def transform(self, results: Dict) -> Dict:
        """Build the images of ``results['imgs']``.

        Args:
            results (dict): With ``imgs``, ``(clips, 3, T, H, W)``.

        Returns:
            dict: With ``imgs``, ``(clips, 3, framesets + frames, H, W)``.
        """
        imgs = results['imgs']
        if getattr(imgs, 'ndim', None) != 5 or imgs.shape[1] != 3:
            raise ValueError(
                'BuildFramesets expects imgs of the shape (clips, 3, T, H, '
                f'W), not {getattr(imgs, "shape", type(imgs).__name__)}; '
                "put it after FormatShape with input_format='NCTHW'."
            )
        video = torch.from_numpy(np.ascontiguousarray(imgs))
        framesets, frames = count_images(
            video.shape[2], self.num_spatial_frames, self.grid, self.paths
        )
        dtype, images = torch.float16 if self.exact else torch.uint8, []
        if framesets:
            built = build_framesets(video.float(), self.grid, self.antialias)
            images.append(built if self.exact else built.round())
        if frames:
            images.append(sample_frames(video, frames))
        images = torch.cat([part.to(dtype) for part in images], dim=2)
        results['imgs'] = images.numpy()
        results['input_shape'] = results['imgs'].shape
        return results

    def __repr__(self) -> str:
        """Show the settings when printed."""
        return (
            f'{type(self).__name__}(num_spatial_frames='
            f'{self.num_spatial_frames}, grid={self.grid}, '
            f'antialias={self.antialias}, exact={self.exact}, '
            f'paths={self.paths})'
        )
