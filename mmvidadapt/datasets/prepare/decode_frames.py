"""All frames of a video in one pass; what is damaged raises."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

import av
from av.error import FFmpegError

from mmvidadapt.datasets.readers.open_container import (
    find_stream,
    open_container,
)
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.video import UnreadableError

# A player shows that much of a video although the rest is lost.
MIN_SHARE = 0.95


def decode_all(path: Union[str, Path]) -> Iterator[av.VideoFrame]:
    """Decode a video from its first frame to its last.

    Args:
        path (str | Path): The video.

    Yields:
        av.VideoFrame: One after the other, as they are shown.

    Raises:
        UnreadableError: If it is no video, if a frame is damaged, or if there
            are fewer frames than the file says.
    """
    promised, count = len(PyAVReader(str(path))), 0
    with opened(path) as container:
        stream = find_stream(container)
        stream.thread_count = 1
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise UnreadableError(f'frame {count} is damaged.')
            yield frame
            count += 1
    if count < MIN_SHARE * promised:
        raise UnreadableError(
            f'only {count} of its {promised} frames can be decoded.'
        )


@contextmanager
def opened(path: Union[str, Path]) -> Iterator[av.container.InputContainer]:
    """Open a video; give the errors of FFmpeg one type and no file name."""
    try:
        with open_container(str(path)) as container:
            yield container
    except FFmpegError as error:
        raise UnreadableError(
            f'it cannot be decoded: {error.strerror}.'
        ) from error
