"""Random access to the frames of a video, through torchcodec."""

import os
from typing import BinaryIO, List, Sequence, Union

import numpy as np


class TorchCodecReader:
    """The frames of a video by their number.

    Args:
        file (str | BinaryIO): Path, or the content.
        num_threads (int): Threads that decode. Defaults to 1.

    Raises:
        UnreadableError: If PyAV refuses the file, or if torchcodec would
            show other frames than players do.
    """

    def __init__(
        self, file: Union[str, BinaryIO], num_threads: int = 1
    ) -> None:
        from torchcodec.decoders import VideoDecoder

        from .probe import Probe

        probe = Probe(file, 'torchcodec')
        if isinstance(file, str):
            file = os.path.abspath(file)
        self.video = VideoDecoder(
            file,
            stream_index=probe.stream,
            dimension_order='NHWC',
            num_ffmpeg_threads=num_threads,
            seek_mode='exact',
        )
        probe.check_count(len(self.video))

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.video)

    def get_avg_fps(self) -> float:
        """Return the frames per second."""
        return float(self.video.metadata.average_fps or 0)

    def get_frames(self, indices: Sequence[int]) -> List[np.ndarray]:
        """Decode some frames in one pass, RGB (H, W, 3).

        Args:
            indices (Sequence[int]): Their numbers, in any order.

        Returns:
            List[np.ndarray]: One frame for every number.
        """
        numbers = [int(i) for i in indices]
        return list(self.video.get_frames_at(numbers).data.numpy())
