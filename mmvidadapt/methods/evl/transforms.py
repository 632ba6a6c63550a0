"""Frame sampling of EVL's recipe."""

from typing import Optional

import numpy as np
from mmaction.registry import TRANSFORMS

from mmvidadapt.datasets.transforms.spread_sampling import SpreadSampleFrames


@TRANSFORMS.register_module()
class ExactSpanSampleFrames(SpreadSampleFrames):
    """Dense sampling where a clip spans from its first to its last frame.

    mmaction2 leaves ``frame_interval - 1`` frames after a training clip
    unused; here training starts anywhere in ``[0, frames - interval *
    (clip_len - 1))``. Test clips are spread from the first to the last
    possible start, a single one is centred.

    Args:
        clip_len (int): Frames of a clip.
        frame_interval (int): Distance between the frames. Defaults to 1.
        num_clips (int): Clips of a video. Defaults to 1.
        test_mode (bool): Whether to spread the clips instead of drawing
            them. Defaults to False.
        out_of_bound_opt (str, optional): Of a video that is too short:
            ``'spread'`` takes frames all over it, ``'repeat_last'`` repeats
            its last sampled frame in training and its last frame in testing.
            Defaults to None: 'spread' in testing, and in training what is
            published, 'repeat_last'.
    """

    options = ('spread', 'repeat_last')

    def __init__(
        self,
        clip_len: int,
        frame_interval: int = 1,
        num_clips: int = 1,
        test_mode: bool = False,
        out_of_bound_opt: Optional[str] = None,
    ) -> None:
        super().__init__(
            clip_len, frame_interval, num_clips, out_of_bound_opt, test_mode
        )

    def _get_ori_clip_len(self, fps_scale_ratio: float) -> int:
        """Count the frames from a clip's first to its last."""
        return self._least_frames()

    def transform(self, results: dict) -> dict:
        """Add the frame indices of all clips."""
        results = super().transform(results)
        total = results['total_frames']
        repeats = self.test_mode and not self.spread
        if repeats and total < self._least_frames():
            inds = np.arange(self.clip_len) * self.frame_interval
            inds = np.tile(np.minimum(inds, total - 1), self.num_clips)
            results['frame_inds'] = inds + results['start_index']
        return results
