"""Erase a random box of whole clips, exact in the normalised values.

Ours, since torchvision's ``RandomErasing`` draws from torch's generator: the
same seed would erase other boxes and end in other weights.
"""

import math
import random
from typing import Optional, Tuple

from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

Box = Tuple[int, int, int, int]


@MODELS.register_module()
class VideoRandomErasing:
    """Set one box of a clip to zero, the same in all its frames.

    Proposed in `Random Erasing Data Augmentation
    <https://arxiv.org/abs/1708.04896>`_, with timm's defaults: one box, an
    area of 2 to 33 %, log-uniform aspect ratio, 10 attempts to fit it.

    It is given to ``ActionDataPreprocessor`` as its ``blending``, which runs
    on the normalised batch in training: there zero is the mean of the data
    exactly. mmaction2's ``RandomErasing`` paints uint8 frames, which cannot
    hold a mean of 122.769. The numbers come from Python's ``random`` in the
    main process, which ``EpochSeedHook`` seeds for every epoch and rank.

    Args:
        prob (float): Probability that a clip is erased. Defaults to 0.25.
        area (Tuple[float, float]): Least and largest area of the box relative
            to the frame. Defaults to (0.02, 1 / 3).
        aspect (Tuple[float, float]): Least and largest height relative to
            the width. Defaults to (0.3, 10 / 3).

    Raises:
        ValueError: If a probability or range is impossible.
    """

    def __init__(
        self,
        prob: float = 0.25,
        area: Tuple[float, float] = (0.02, 1 / 3),
        aspect: Tuple[float, float] = (0.3, 10 / 3),
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob={prob} is not in [0, 1].')
        for name, (low, high) in dict(area=area, aspect=aspect).items():
            if not 0 < low <= high:
                raise ValueError(
                    f'{name}={(low, high)}: give two positive '
                    'numbers, the smaller one first.'
                )
        self.prob, self.area, self.aspect = prob, area, aspect

    def __call__(
        self, imgs: Tensor, batch_data_samples: SampleList
    ) -> Tuple[Tensor, SampleList]:
        """Erase in place.

        Args:
            imgs (Tensor): Normalised clips ``(B, ..., H, W)``.
            batch_data_samples (SampleList): Their annotations, left alone.

        Returns:
            Tuple[Tensor, SampleList]: Both arguments.
        """
        for clip in imgs:
            box = self.draw(*clip.shape[-2:])
            if box is not None:
                top, left, height, width = box
                clip[..., top : top + height, left : left + width] = 0
        return imgs, batch_data_samples

    def draw(self, img_h: int, img_w: int) -> Optional[Box]:
        """Draw top, left, height and width of a box; None erases nothing."""
        if random.random() >= self.prob:
            return None
        for _ in range(10):
            area = random.uniform(*self.area) * img_h * img_w
            aspect = math.exp(random.uniform(*map(math.log, self.aspect)))
            height = round(math.sqrt(area * aspect))
            width = round(math.sqrt(area / aspect))
            if height < img_h and width < img_w:
                return (
                    random.randint(0, img_h - height),
                    random.randint(0, img_w - width),
                    height,
                    width,
                )
        return None
