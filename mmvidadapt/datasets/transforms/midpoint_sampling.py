"""Sample frames as the recipes do where mmaction2 1.x does otherwise."""

import numpy as np
from mmaction.datasets.transforms import UniformSample
from mmaction.registry import TRANSFORMS

from .spread_sampling import SpreadSampleFrames


@TRANSFORMS.register_module()
class MidpointSampleFrames(SpreadSampleFrames):
    """Dense sampling that tests the midpoints of equal stretches.

    mmaction2 1.x spreads the test clips from the first to the last possible
    offset; mmaction 0.x, with which the published models were tested, cuts
    the possible offsets into ``num_clips`` stretches and takes the middle of
    each. Training clips are mmaction2's own: one random offset.

    Args:
        clip_len (int): Frames of a clip.
        frame_interval (int): Distance between the frames. Defaults to 1.
        num_clips (int): Clips of a video. Defaults to 1.
        out_of_bound_opt (str, optional): Of a video with fewer than
            ``clip_len * frame_interval`` frames: ``'spread'`` takes frames
            all over it, ``'loop'`` starts again at its first frame,
            ``'repeat_last'`` repeats the last one. Defaults to None: 'spread'
            in testing, and in training what is published, 'loop'.
        test_mode (bool): Whether to take midpoints instead of random
            offsets. Defaults to False.
        num_segments (int): See :class:`SpreadSampleFrames`. Defaults to 1.
    """

    def _least_frames(self) -> int:
        """Count the frames that a clip needs to have a place of its own."""
        return self.clip_len * self.frame_interval

    def _get_test_clips(
        self, num_frames: int, ori_clip_len: float
    ) -> np.ndarray:
        """Offsets of the test clips, all 0 in a video that is too short."""
        offsets = num_frames - self.clip_len * self.frame_interval + 1
        stretch = max(offsets, 0) / self.num_clips
        return ((np.arange(self.num_clips) + 0.5) * stretch).astype(np.int64)


@TRANSFORMS.register_module()
class MidpointUniformSample(UniformSample):
    """Uniform sampling that tests the middle frame of every segment.

    The video is cut into ``clip_len`` equal segments. Training takes a random
    frame of each, as mmaction2 does; testing takes ``(start + end) // 2``,
    where mmaction2 takes ``start + int(length / 2)``, up to one frame
    earlier. Several test clips divide every segment evenly.

    Args:
        clip_len (int): Frames of a clip.
        num_clips (int): Clips of a video when testing. Defaults to 1.
        test_mode (bool): Whether to take midpoints instead of random frames.
            Defaults to False.
    """

    def _get_sample_clips(self, num_frames: int) -> np.ndarray:
        """Frame indices of all clips, one clip after the other."""
        if not self.test_mode:
            return super()._get_sample_clips(num_frames)
        segment = (num_frames - 1) / self.clip_len
        edges = np.round(segment * np.arange(self.clip_len + 1))
        starts, lengths = edges[:-1], np.diff(edges)
        parts = np.arange(1, self.num_clips + 1)[:, None]
        inds = starts + lengths * parts // (self.num_clips + 1)
        return inds.astype(np.int64).ravel()
