"""Transforms that put the frames of a clip into another order.

They show what a model makes of time: whatever is blind to order gives the
same answer for a clip, its shuffled frames and its time reversal.
"""

import zlib
from pathlib import Path
from typing import Optional

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


def generator_of(seed: Optional[int], filename: str) -> np.random.Generator:
    """Return random numbers that seed and name of a file decide.

    Args:
        seed (int, optional): None draws others each time.
        filename (str): Its folder does not matter.

    Returns:
        np.random.Generator: The generator.
    """
    if seed is None:
        return np.random.default_rng(np.random.randint(2**31, size=4))
    entropy = [seed, zlib.crc32(Path(filename).name.encode())]
    return np.random.default_rng(entropy)


class _Reorder(BaseTransform):
    """Put the decoded frames of every clip of a video into another order."""

    def order(self, num_frames: int, filename: str) -> np.ndarray:
        """Return the new order of the frames of one clip."""
        raise NotImplementedError(
            f'{type(self).__name__} must say in which order frames come.'
        )

    def transform(self, results: dict) -> dict:
        """Reorder ``imgs``, ``clip_len`` frames at a time.

        Args:
            results (dict): With ``imgs``, all clips one after the other, and
                ``clip_len``: what comes after decoding.

        Returns:
            dict: The results with ``imgs`` in the new order.
        """
        imgs, length = results['imgs'], results['clip_len']
        order = self.order(length, str(results.get('filename', '')))
        results['imgs'] = [
            imgs[start + i]
            for start in range(0, len(imgs), length)
            for i in order
        ]
        return results


@TRANSFORMS.register_module()
class ReverseFrames(_Reorder):
    """Play every clip backwards. To be placed after decoding."""

    def order(self, num_frames: int, filename: str) -> np.ndarray:
        """Return the indices from the last to the first."""
        return np.arange(num_frames)[::-1]


@TRANSFORMS.register_module()
class ShuffleFrames(_Reorder):
    """Play the frames of every clip in random order.

    To be placed after decoding.

    Args:
        seed (int, optional): With it, the order is a function of the seed and
            the name of the file, so that evaluations can be compared.
            Defaults to None: another order each time.
    """

    def __init__(self, seed: Optional[int] = None) -> None:
        self.seed = seed

    def order(self, num_frames: int, filename: str) -> np.ndarray:
        """Return a random permutation."""
        if self.seed is None:
            return np.random.permutation(num_frames)
        return generator_of(self.seed, filename).permutation(num_frames)
