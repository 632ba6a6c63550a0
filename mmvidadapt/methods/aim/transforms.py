"""Shift colours as AlexNet did: PCA lighting of AIM's ViT-L recipes.

Ours, since ``mmcv.adjust_lighting`` draws anew for every frame and returns
float64, and mmpretrain's ``Lighting`` rounds to uint8.
"""

from typing import Dict

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

# Principal components of the RGB values (0 to 255) of ImageNet.
EIG_VAL = np.array([55.46, 4.794, 1.148])
EIG_VEC = np.array(
    [
        [-0.5675, 0.7192, 0.4009],
        [-0.5808, -0.0045, -0.8140],
        [-0.5836, -0.6948, 0.4203],
    ]
)


@TRANSFORMS.register_module()
class PCALighting(BaseTransform):
    """Shift the colour of a whole clip along ImageNet's principal components.

    Proposed in `ImageNet Classification with Deep Convolutional Neural
    Networks <https://doi.org/10.1145/3065386>`_, section 4.1. It is what
    ``ColorJitter()`` was in mmaction 0.x; the ``ColorJitter`` of mmaction2
    1.x is another transform (brightness, contrast, saturation, hue). As
    there, the frames become float32 and are not clipped. Put it after the
    resizing steps, which are faster on uint8.

    Args:
        alpha_std (float): Standard deviation of the three random weights.
            Defaults to 0.1.
    """

    def __init__(self, alpha_std: float = 0.1) -> None:
        self.alpha_std = alpha_std

    def transform(self, results: Dict) -> Dict:
        """Add one colour to all frames of ``results['imgs']``."""
        alpha = np.random.normal(0, self.alpha_std, size=3)
        rgb = (EIG_VEC @ (alpha * EIG_VAL)).astype(np.float32)
        results['imgs'] = [img + rgb for img in results['imgs']]
        return results

    def __repr__(self) -> str:
        """Show the settings when printed."""
        return f'{type(self).__name__}(alpha_std={self.alpha_std})'
