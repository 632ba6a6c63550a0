"""Sample dense clips; read short videos in order.

mmaction2 starts again at the first frame where a clip goes beyond the end, so
that of a short video frames 0, 16, 32, 48, 8, 24, ... are read, out of order,
and all test clips are the same.
"""

import logging
import mmap
from typing import Optional

import numpy as np
from mmaction.datasets.transforms import SampleFrames
from mmaction.registry import TRANSFORMS
from mmengine.logging import print_log

# One byte that forked workers share: 1 when the message was logged.
_LOGGED = mmap.mmap(-1, 1)


@TRANSFORMS.register_module()
class SpreadSampleFrames(SampleFrames):
    """Sample dense clips as mmaction2 does, and short videos in order.

    Where a clip fits into the video, the frames are those of ``SampleFrames``.
    Else the video is cut into ``clip_len`` equal stretches, and a clip takes
    one frame of each: in testing at another place in every clip, in training
    at random. Test clips that are all the same (a video of one frame, say)
    become one, which has the same result; where several videos make a batch,
    which is to have equal numbers of clips, ``'loop'`` keeps them all.

    Where a backbone reads S clips together (``num_segments``), a short video
    is cut into ``S * clip_len`` stretches, and they follow one another.

    Args:
        clip_len (int): Frames of a clip.
        frame_interval (int): Distance between the frames. Defaults to 1.
        num_clips (int): Clips of a video. Defaults to 1.
        out_of_bound_opt (str, optional): Of a video that is too short:
            ``'spread'`` takes frames all over it, ``'loop'`` starts again at
            its first frame, ``'repeat_last'`` repeats the last one. Defaults
            to None: 'spread' in testing and for several segments, and in
            training what is published, 'loop'.
        test_mode (bool): Whether to take the same clips every time instead
            of drawing them. Defaults to False.
        num_segments (int): Clips that are read together, the backbone's
            ``num_segments``; it divides ``num_clips``. Defaults to 1.

    Raises:
        ValueError: On an unknown option, or segments that do not divide the
            clips.
    """

    # The choices; the second one is published.
    options = ('spread', 'loop', 'repeat_last')

    def __init__(
        self,
        clip_len: int,
        frame_interval: int = 1,
        num_clips: int = 1,
        out_of_bound_opt: Optional[str] = None,
        test_mode: bool = False,
        num_segments: int = 1,
    ) -> None:
        if out_of_bound_opt not in (None, *self.options):
            raise ValueError(
                f'out_of_bound_opt={out_of_bound_opt!r} of '
                f'{type(self).__name__}: choose from {list(self.options)}.'
            )
        if num_segments < 1 or num_clips % num_segments:
            raise ValueError(
                f'num_segments={num_segments} of {type(self).__name__} does '
                f'not divide num_clips={num_clips}.'
            )
        self.num_segments = num_segments
        default = self.options[0 if test_mode or num_segments > 1 else 1]
        self.spread = (out_of_bound_opt or default) == 'spread'
        self.merge = True  # whether equal test clips become one
        # Named one by one: the parent swallows a misspelt argument.
        super().__init__(
            clip_len,
            frame_interval,
            num_clips,
            out_of_bound_opt=(
                self.options[1] if self.spread else out_of_bound_opt or default
            ),
            test_mode=test_mode,
        )

    def transform(self, results: dict) -> dict:
        """Add the frame indices of all clips.

        Args:
            results (dict): With ``total_frames`` and ``start_index``.

        Returns:
            dict: With ``frame_inds``, ``clip_len``, ``frame_interval`` and
            ``num_clips``.
        """
        total = results['total_frames']
        if self.spread and total < self._least_frames():
            return self._spread(results)
        return super().transform(results)

    def _least_frames(self) -> int:
        """Count the frames from the first to the last of a clip."""
        return (self.clip_len - 1) * self.frame_interval + 1

    def _spread(self, results: dict) -> dict:
        """Take a frame of every stretch of the video."""
        total, together = results['total_frames'], self.num_segments
        times, length = self.num_clips // together, together * self.clip_len
        k, i = np.indices((times, length))
        if self.test_mode:
            # The middle of the k-th of so many parts of the i-th stretch.
            inds = (2 * (times * i + k) + 1) * total // (2 * times * length)
            if self.merge and (inds == inds[0]).all():
                inds = inds[:1]
            self._log(results)
        else:
            places = (i + np.random.random(i.shape)) * total / length
            inds = np.minimum(places.astype(np.int64), total - 1)
        results.update(
            frame_inds=inds.ravel().astype(np.int32) + results['start_index'],
            clip_len=self.clip_len,
            frame_interval=self.frame_interval,
            num_clips=len(inds) * together,
        )
        return results

    def _log(self, results: dict) -> None:
        """Log a message once in a run, whatever the number of workers."""
        if _LOGGED[0]:
            return
        _LOGGED[0] = 1
        print_log(
            f'{results.get("filename", "A video")}, or a window of it, has '
            f'{results["total_frames"]} frames, fewer than a clip of '
            f'{self.clip_len} x {self.frame_interval}. The frames of such '
            'videos are spread over what is there, in their order; '
            f"out_of_bound_opt='{self.options[1]}' of {type(self).__name__} "
            'samples as published. This is said once.',
            logger='current',
            level=logging.WARNING,
        )

    def __repr__(self) -> str:
        """Show the settings when printed."""
        shown = 'spread' if self.spread else self.out_of_bound_opt
        more = self.num_segments
        more = f', num_segments={more}' if more > 1 else ''
        return (
            f'{type(self).__name__}(clip_len={self.clip_len}, '
            f'frame_interval={self.frame_interval}, '
            f"num_clips={self.num_clips}, out_of_bound_opt='{shown}', "
            f'test_mode={self.test_mode}{more})'
        )
