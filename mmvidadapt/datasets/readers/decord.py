"""Random access to the frames of a video, through decord."""

import os
from typing import BinaryIO, List, Sequence, Union

import numpy as np


class DecordReader:
    """The frames of a video by their number; mmaction2's default decoder.

    Behind a seek decord 0.6 gives wrong frames of some videos: H.264 with
    open groups of pictures, HEVC, MPEG-4 with B-frames, transport streams.
    What ends its process (playlists, headers that promise frames which are
    not there) or what it would show otherwise than players do is refused.

    Args:
        file (str | BinaryIO): Path, or the content.
        num_threads (int): Threads that decode. Defaults to 1.

    Raises:
        UnreadableError: If the file cannot be trusted to decord.
    """

    def __init__(
        self, file: Union[str, BinaryIO], num_threads: int = 1
    ) -> None:
        import decord

        from .probe import Probe

        probe = Probe(file, 'decord')
        if probe.num_videos > 1:
            probe.refuse('it holds several videos or a cover')
        if isinstance(file, str):
            file = os.path.abspath(file)
        self.video = decord.VideoReader(file, num_threads=num_threads)
        probe.check_count(len(self.video))

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.video)

    def get_avg_fps(self) -> float:
        """Return the frames per second."""
        return self.video.get_avg_fps()

    def get_frames(self, indices: Sequence[int]) -> List[np.ndarray]:
        """Decode some frames in one pass, RGB (H, W, 3).

        Args:
            indices (Sequence[int]): Their numbers, in any order.

        Returns:
            List[np.ndarray]: One frame for every number.
        """
        # Out of order, decord would go back and decode again.
        unique, places = np.unique(np.asarray(indices), return_inverse=True)
        frames = self.video.get_batch(unique).asnumpy()
        return list(frames[places.ravel()])
