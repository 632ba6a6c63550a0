"""Frame sampling of DualPath's recipe."""

from typing import Optional, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS

from mmvidadapt.datasets.transforms.spread_sampling import SpreadSampleFrames


@TRANSFORMS.register_module()
class RandomStrideSampleFrames(SpreadSampleFrames):
    """Dense sampling whose training clips have a random stride.

    Training draws a stride, then where the clip starts. A video that is too
    short for the stride is spread over the clip as a whole. Testing has one
    stride.

    Args:
        clip_len (int): Frames of a clip.
        frame_intervals (Sequence[int]): Strides that training draws from.
            Defaults to (1, 2, 4, 8).
        test_interval (int): Stride of test clips. Defaults to 4.
        num_clips (int): Clips of a video. Defaults to 1.
        test_mode (bool): Whether to spread the clips instead of drawing
            them. Defaults to False.
        official_starts (bool): Whether test clip k of K starts at ``int(k *
            slack / K)`` of the strided frames, which never reaches the end of
            the video, instead of being spread from the first possible start
            to the last. Defaults to False.
        out_of_bound_opt (str, optional): Of a video that is too short:
            ``'spread'`` takes frames all over it, ``'repeat_last'`` repeats
            the last one, in training where the video has fewer frames than
            the clip. Defaults to None: 'spread' in testing, and in training
            what is published, 'repeat_last'.
    """

    options = ('spread', 'repeat_last')

    def __init__(
        self,
        clip_len: int,
        frame_intervals: Sequence[int] = (1, 2, 4, 8),
        test_interval: int = 4,
        num_clips: int = 1,
        test_mode: bool = False,
        official_starts: bool = False,
        out_of_bound_opt: Optional[str] = None,
    ) -> None:
        super().__init__(
            clip_len, test_interval, num_clips, out_of_bound_opt, test_mode
        )
        if not frame_intervals or min(frame_intervals) < 1:
            raise ValueError(
                f'frame_intervals={frame_intervals!r}: give strides of at '
                'least 1.'
            )
        self.frame_intervals = tuple(frame_intervals)
        self.official_starts = official_starts

    def transform(self, results: dict) -> dict:
        """Add the frame indices of all clips."""
        total, length = results['total_frames'], self.clip_len
        if self.spread and total < self._least_frames():
            return self._spread(results)
        draw = self._test_clip if self.test_mode else self._train_clip
        inds = [draw(k, total) for k in range(self.num_clips)]
        inds = np.concatenate(inds) + results['start_index']
        results.update(
            frame_inds=inds.astype(np.int32),
            clip_len=length,
            frame_interval=self.frame_interval,
            num_clips=self.num_clips,
        )
        return results

    def _least_frames(self) -> int:
        """Count the frames below which no stride of the recipe fits."""
        return super()._least_frames() if self.test_mode else self.clip_len

    def _train_clip(self, k: int, total: int) -> np.ndarray:
        """Draw a clip."""
        length, stride = self.clip_len, np.random.choice(self.frame_intervals)
        span = (length - 1) * stride + 1
        if total >= span:
            start = np.random.randint(total - span + 1)
            return start + stride * np.arange(length)
        if total < length:
            return np.minimum(np.arange(length), total - 1)
        return np.linspace(0, total - 1, length).astype(np.int64)

    def _test_clip(self, k: int, total: int) -> np.ndarray:
        """Take clip k; a short video repeats its last frame."""
        stride = self.frame_interval
        count = -(-total // stride)  # strided frames
        slack, clips = max(count - self.clip_len, 0), self.num_clips
        if self.official_starts:
            start = int(k * slack / clips)
        elif clips == 1:
            start = slack // 2
        else:
            start = round(k * slack / (clips - 1))
        inds = start + np.arange(self.clip_len)
        return np.minimum(inds, count - 1) * stride
