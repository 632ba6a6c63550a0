"""Apply mmpretrain's RandAugment, the same to all frames of a clip.

mmpretrain's, since torchvision's has neither timm's increasing magnitudes nor
their noise.
"""

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.registry import DefaultScope

GREY = 128  # where a shift or a rotation leaves nothing
COLOURS = ('ColorTransform', 'Contrast', 'Brightness', 'Sharpness')
OWN = {
    'non_geometric': [
        dict(type='AutoContrast'),
        dict(type='Equalize'),
        dict(type='Invert'),
        dict(type='Posterize', magnitude_range=(4, 0)),
        dict(type='Solarize', magnitude_range=(256, 0)),
        dict(type='SolarizeAdd', magnitude_range=(0, 110)),
        *(dict(type=name, magnitude_range=(0, 0.9)) for name in COLOURS),
        dict(type='Cutout', magnitude_range=(0, 60)),  # pixels
        dict(type='Invert', prob=0.0),  # the identity
    ]
}


@TRANSFORMS.register_module()
class ClipRandAugment(BaseTransform):
    """timm's "increasing" RandAugment, drawn once for all frames.

    ``rand-m7-n4-mstd0.5-inc1`` is ``num_ops=4, magnitude=7,
    magnitude_std=0.5``: 15 operations, geometric ones included, each of the
    drawn ones done with a probability of one half, magnitudes with Gaussian
    noise, bicubic interpolation. mmpretrain's operations do the work.

    Args:
        num_ops (int): Operations drawn for a clip. Defaults to 4.
        magnitude (int): Magnitude of ``total_level``. Defaults to 7.
        magnitude_std (float): Standard deviation of the magnitudes.
            Defaults to 0.5.
        total_level (int): Magnitude at which the operations are strongest.
            Defaults to 10.
        policies (str): ``'non_geometric'``, 11 operations on colours and the
            identity, or a collection of mmpretrain's.
            Defaults to ``'timm_increasing'``.
    """

    def __init__(
        self,
        num_ops: int = 4,
        magnitude: int = 7,
        magnitude_std: float = 0.5,
        total_level: int = 10,
        policies: str = 'timm_increasing',
    ) -> None:
        from mmpretrain.datasets.transforms import RandAugment

        # mmpretrain looks its operations up in the current scope.
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            self.augment = RandAugment(
                OWN.get(policies, policies),
                num_policies=num_ops,
                magnitude_level=magnitude,
                magnitude_std=magnitude_std,
                total_level=total_level,
                hparams=dict(pad_val=GREY, interpolation='bicubic'),
            )

    def transform(self, results: dict) -> dict:
        """Augment ``results['imgs']``, RGB frames (H, W, 3) of type uint8."""
        state, frames = np.random.get_state(), []
        for frame in results['imgs']:
            np.random.set_state(state)  # every frame draws the same
            bgr = np.ascontiguousarray(frame[..., ::-1])  # mmpretrain's order
            bgr = self.augment(dict(img=bgr))['img']
            frames.append(np.ascontiguousarray(bgr[..., ::-1]))
        results['imgs'] = frames
        return results

    def __repr__(self) -> str:
        """Show the settings when printed."""
        return f'{type(self).__name__}({self.augment})'
