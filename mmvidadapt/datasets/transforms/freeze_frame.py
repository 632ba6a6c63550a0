"""Show one frame in the place of a whole clip."""

from typing import Optional, Union

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from .frame_order import generator_of


@TRANSFORMS.register_module()
class FreezeFrame(BaseTransform):
    """Choose one frame of every clip, so that no other is decoded.

    To be placed right after the sampling of frames, with
    :class:`RepeatFrame` after the decoding.

    Args:
        index (str | int): Which frame of the clip: ``'middle'``,
            ``'random'`` or its number. Defaults to ``'middle'``.
        seed (int, optional): With it, the ``'random'`` frames, one draw per
            clip, are a function of the seed and the name of the file.
            Defaults to 0.
    """

    def __init__(
        self, index: Union[str, int] = 'middle', seed: Optional[int] = 0
    ) -> None:
        if index not in ('middle', 'random') and not isinstance(index, int):
            raise ValueError(
                f"index={index!r}: choose 'middle', 'random' or a number."
            )
        self.index, self.seed = index, seed

    def transform(self, results: dict) -> dict:
        """Keep one of the ``clip_len`` indices of every clip.

        Args:
            results (dict): With ``frame_inds`` and ``clip_len``: what comes
                after sampling.

        Returns:
            dict: The results with one index per clip in ``frame_inds``.
        """
        length = results['clip_len']
        clips = np.reshape(results['frame_inds'], (-1, length))
        name = str(results.get('filename', ''))
        chosen = self._chosen(len(clips), length, name)
        results['frame_inds'] = clips[np.arange(len(clips)), chosen]
        return results

    def _chosen(
        self, clips: int, length: int, name: str
    ) -> Union[int, np.ndarray]:
        """Return the number of the frame, or one for each clip."""
        if self.index == 'middle':
            return length // 2
        if self.index == 'random':
            return generator_of(self.seed, name).integers(length, size=clips)
        if not -length <= self.index < length:
            raise ValueError(
                f'index={self.index}, but a clip has {length} frames.'
            )
        return self.index


@TRANSFORMS.register_module()
class RepeatFrame(BaseTransform):
    """Show the one decoded frame of every clip for its whole length.

    To be placed after decoding, with :class:`FreezeFrame` before it.
    """

    def transform(self, results: dict) -> dict:
        """Repeat ``imgs`` and ``frame_inds`` ``clip_len`` times.

        Args:
            results (dict): With ``imgs`` of one frame per clip.

        Returns:
            dict: The results with ``clip_len`` frames per clip.
        """
        length, inds = (
            results['clip_len'],
            np.atleast_1d(results['frame_inds']),
        )
        if len(inds) != results['num_clips']:
            raise ValueError(
                f'{len(inds)} frames of {results["num_clips"]} clips were '
                "decoded; put dict(type='FreezeFrame') after the sampling."
            )
        results['frame_inds'] = inds.repeat(length)
        results['imgs'] = [
            image.copy() for image in results['imgs'] for _ in range(length)
        ]
        return results
