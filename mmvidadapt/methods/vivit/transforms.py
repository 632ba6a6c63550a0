"""Crop three test views of frames that are larger on both sides."""

from typing import Dict

from mmaction.datasets.transforms import ThreeCrop
from mmaction.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CentredThreeCrop(ThreeCrop):
    """Crop three times along the longer side, in the middle of the shorter.

    mmaction2's ``ThreeCrop`` wants frames whose shorter side is that of the
    crop; recipes that resize to 256 and crop 224 leave 16 pixels above and
    below.

    Args:
        crop_size (int): Side of a crop.

    Raises:
        ValueError: If frames are smaller than the crop.
    """

    def __init__(self, crop_size: int) -> None:
        super().__init__(crop_size)

    def transform(self, results: Dict) -> Dict:
        """Crop ``results['imgs']``, all frames of one crop after another."""
        size = self.crop_size[0]
        height, width = results['imgs'][0].shape[:2]
        margin = (min(height, width) - size) // 2
        if margin < 0:
            raise ValueError(
                f'CentredThreeCrop with crop_size={size} got frames of '
                f'{height} x {width}; put Resize with scale=(-1, {size}) or '
                'more before it.'
            )
        rows, columns = slice(None), slice(margin, margin + size)
        if height <= width:
            rows, columns = columns, rows
        results['imgs'] = [image[rows, columns] for image in results['imgs']]
        return super().transform(results)
