"""Test crops that start at equal steps, as DualPath's released code has."""

from typing import Dict

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class SteppedCrops(BaseTransform):
    """Cut squares out of frames whose shorter side they fill.

    Crop j of J starts at ``int(j * slack / J)`` of the longer side, so one
    crop is the left (or upper) one and no crop reaches the other end.
    mmaction2's ``CenterCrop`` and ``ThreeCrop`` take the middle, and both
    ends with it.

    Args:
        crop_size (int): Side of a crop, the shorter side of the frames.
        num_crops (int): Number of crops J. Defaults to 1.

    Raises:
        ValueError: If there is no crop, or frames have another shorter side.
    """

    def __init__(self, crop_size: int, num_crops: int = 1) -> None:
        if num_crops < 1:
            raise ValueError(f'num_crops={num_crops}: give at least 1.')
        self.crop_size, self.num_crops = crop_size, num_crops

    def transform(self, results: Dict) -> Dict:
        """Crop ``results['imgs']``, all frames of one crop after another."""
        imgs, size = results['imgs'], self.crop_size
        height, width = imgs[0].shape[:2]
        if min(height, width) != size:
            raise ValueError(
                f'SteppedCrops with crop_size={size} got frames of {height} x '
                f'{width}; put Resize with scale=(-1, {size}) before it.'
            )
        crops = []
        for j in range(self.num_crops):
            start = j * (max(height, width) - size) // self.num_crops
            top, left = (start, 0) if height > width else (0, start)
            crops += [i[top : top + size, left : left + size] for i in imgs]
        results.update(imgs=crops, img_shape=(size, size))
        return results

    def __repr__(self) -> str:
        """Show the settings when printed."""
        return (
            f'{type(self).__name__}(crop_size={self.crop_size}, '
            f'num_crops={self.num_crops})'
        )
