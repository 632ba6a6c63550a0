"""Reverse or shuffle the frames of a clip.

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
    """Put the frames of every clip of a video into another order."""

    def orders(self, clips: int, length: int, filename: str) -> np.ndarray:
        """Return the new order of the frames of each clip."""
        raise NotImplementedError(
            f'{type(self).__name__} must say in which order frames come.'
        )

    def transform(self, results: dict) -> dict:
        """Reorder the decoded frames or, before decoding, their numbers.

        Args:
            results (dict): With ``clip_len`` and ``imgs``, all clips one
                after the other; without ``imgs``, with ``frame_inds``.

        Returns:
            dict: The results in the new order.
        """
        length, name = results['clip_len'], str(results.get('filename', ''))
        imgs, inds = results.get('imgs'), results.get('frame_inds')
        count = np.size(inds) if imgs is None else len(imgs)
        places = np.arange(count).reshape(-1, length)  # (clips, length)
        orders = self.orders(len(places), length, name)
        places = np.take_along_axis(places, orders, axis=1).flatten()
        if imgs is None:
            shape = np.shape(inds)
            results['frame_inds'] = np.ravel(inds)[places].reshape(shape)
        else:
            results['imgs'] = [imgs[i] for i in places]
        return results


@TRANSFORMS.register_module()
class ReverseFrames(_Reorder):
    """Play every clip backwards. To be placed after sampling or decoding."""

    def orders(self, clips: int, length: int, filename: str) -> np.ndarray:
        """Return the indices from the last to the first."""
        return np.tile(np.arange(length)[::-1], (clips, 1))


@TRANSFORMS.register_module()
class ShuffleFrames(_Reorder):
    """Play the frames of every clip in a random order of its own.

    To be placed right after sampling, or after decoding.

    Args:
        seed (int, optional): With it, the orders are a function of the seed
            and the name of the file, so that evaluations can be compared.
            Defaults to None: others each time.
    """

    def __init__(self, seed: Optional[int] = None) -> None:
        self.seed = seed

    def orders(self, clips: int, length: int, filename: str) -> np.ndarray:
        """Return random permutations."""
        generator = generator_of(self.seed, filename)
        return np.stack([generator.permutation(length) for _ in range(clips)])
