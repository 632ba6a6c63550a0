"""Hide tokens: blocks of an image, tubes of a clip."""

import math
import random
from typing import Optional, Tuple, Union

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

ATTEMPTS = 10  # to place a block


@TRANSFORMS.register_module()
class BlockMask(BaseTransform):
    """Mask an image block by block, as BEiT does.

    Proposed in `BEiT: BERT Pre-Training of Image Transformers
    <https://arxiv.org/abs/2106.08254>`_. Blocks are added until the wanted
    number of tokens is masked or none fits in ten attempts: a mask may fall
    short. mmpretrain's ``BEiTMaskGenerator`` never masks the last row and
    column.

    ``results['mask']`` becomes bool ``(h, w)``.

    Args:
        grid (int | Tuple[int, int]): Height and width of the mask in tokens.
            Defaults to 14.
        num_masked (int): Wanted number of masked tokens. Defaults to 98.
        min_block (int): Least area of a block. Defaults to 16.
        max_block (int, optional): Largest area of a block.
            Defaults to None: ``num_masked``.
        aspect (Tuple[float, float]): Least and largest height relative to
            the width. Defaults to (0.3, 1 / 0.3).
        seed (int, optional): With it, this transform draws random numbers of
            its own. Defaults to None: it draws from Python's ``random``.

    Raises:
        ValueError: If the numbers allow no mask.
    """

    def __init__(
        self,
        grid: Union[int, Tuple[int, int]] = 14,
        num_masked: int = 98,
        min_block: int = 16,
        max_block: Optional[int] = None,
        aspect: Tuple[float, float] = (0.3, 1 / 0.3),
        seed: Optional[int] = None,
    ) -> None:
        self.grid = (grid, grid) if isinstance(grid, int) else tuple(grid)
        self.num_masked, self.min_block = num_masked, min_block
        self.max_block = num_masked if max_block is None else max_block
        self.aspect = tuple(map(math.log, aspect))
        self.random = random if seed is None else random.Random(seed)
        if not 0 < num_masked <= math.prod(self.grid):
            raise ValueError(
                f'num_masked={num_masked} of {self.grid[0]} x '
                f'{self.grid[1]} tokens cannot be masked.'
            )
        if not 0 < min_block <= min(self.max_block, math.prod(self.grid)):
            raise ValueError(
                f'min_block={min_block} is not in 1 to {self.max_block}, the '
                'largest block; choose smaller blocks for a small grid.'
            )

    def draw(self) -> np.ndarray:
        """Draw a mask, bool (h, w)."""
        mask = np.zeros(self.grid, dtype=bool)
        while mask.sum() < self.num_masked:
            room = min(self.num_masked - int(mask.sum()), self.max_block)
            if not any(self._add(mask, room) for _ in range(ATTEMPTS)):
                break
        return mask

    def _add(self, mask: np.ndarray, room: int) -> bool:
        """Try to mask one more block; say whether it could be done."""
        height, width = mask.shape
        area = self.random.uniform(self.min_block, room)
        aspect = math.exp(self.random.uniform(*self.aspect))
        h = round(math.sqrt(area * aspect))
        w = round(math.sqrt(area / aspect))
        if h >= height or w >= width:
            return False
        top = self.random.randint(0, height - h)
        left = self.random.randint(0, width - w)
        block = mask[top : top + h, left : left + w]
        if not 0 < (~block).sum() <= room:
            return False
        block[:] = True
        return True

    def transform(self, results: dict) -> dict:
        """Add the mask."""
        results['mask'] = torch.from_numpy(self.draw())
        return results


@TRANSFORMS.register_module()
class TubeMask(BlockMask):
    """Mask the same blocks in consecutive frames of a clip.

    From `BEVT: BERT Pretraining of Video Transformers
    <https://arxiv.org/abs/2112.01529>`_. The tube starts anywhere and goes
    on at the first frame when it has passed the last one; the other frames
    stay visible.

    ``results['mask']`` becomes bool ``(T', h, w)``.

    Args:
        num_frames (int): Length T' of the mask in tokens. Defaults to 8.
        tube_range (Tuple[float, float]): Least and largest length of the tube
            relative to T'. Defaults to (0.5, 1.0).
        **blocks: Passed on to :class:`BlockMask`.

    Raises:
        ValueError: If the numbers allow no mask.
    """

    def __init__(
        self,
        num_frames: int = 8,
        tube_range: Tuple[float, float] = (0.5, 1.0),
        **blocks: Union[int, float, tuple, None],
    ) -> None:
        super().__init__(**blocks)
        self.num_frames = num_frames
        shortest, longest = (int(num_frames * part) for part in tube_range)
        self.lengths = (max(shortest, 1), longest)
        if not self.lengths[0] <= self.lengths[1] <= num_frames:
            raise ValueError(
                f'tube_range={tuple(tube_range)} of {num_frames} frames '
                f'gives lengths from {self.lengths[0]} to {longest}; choose '
                'parts between 0 and 1, the smaller one first.'
            )

    def transform(self, results: dict) -> dict:
        """Add the mask."""
        block = self.draw()
        start = self.random.randint(0, self.num_frames - 1)
        length = self.random.randint(*self.lengths)
        shape = (self.num_frames, *self.grid)  # (T', h, w)
        mask = np.zeros(shape, dtype=bool)
        mask[np.arange(start, start + length) % self.num_frames] = block
        results['mask'] = torch.from_numpy(mask)
        return results
