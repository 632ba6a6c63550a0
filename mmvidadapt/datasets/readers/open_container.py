"""Open video files through FFmpeg, and nothing else that it can open."""

import io
import os
import stat
from contextlib import contextmanager, nullcontext
from typing import Any, BinaryIO, ContextManager, Iterator, Union

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from mmvidadapt.utils.video import CONTAINERS, UnreadableError

NOTHING = 'none'  # is no protocol of FFmpeg's, not even 'file'
COVER, DEFAULT = Disposition.attached_pic, Disposition.default
DISCARD_ALL = 48  # FFmpeg's AVDISCARD_ALL
PICTURES = ('avif', 'heic', 'heix', 'mif1')  # brands of MP4's relatives
# PyAV before 19 stops at metadata that is not UTF-8, unless told otherwise.
OPTIONS = (
    dict(metadata_errors='ignore')
    if hasattr(InputContainer, 'metadata_errors')
    else {}
)


class VideoFile(io.FileIO):
    """A regular file that is closed when nothing reads it any more.

    Args:
        path (str | os.PathLike): The file.

    Raises:
        UnreadableError: If it is a pipe, a device or a folder.
    """

    def __init__(self, path: Union[str, os.PathLike]) -> None:
        check_regular(path)
        super().__init__(path)

    def __del__(self) -> None:
        """Close it; containers have no end that one could wait for."""
        self.close()


def open_container(
    file: Union[str, os.PathLike, BinaryIO], **options: str
) -> InputContainer:
    """Open a video file, so that it cannot make FFmpeg open anything else.

    FFmpeg gets an open file; what that refers to is refused.

    Args:
        file (str | os.PathLike | BinaryIO): Path, or the content.
        **options (str): Options of the demuxer.

    Returns:
        InputContainer: The open container.

    Raises:
        UnreadableError: If it is no file, or of no kind that holds a video.
    """
    if isinstance(file, (str, os.PathLike)):
        file = VideoFile(file)
    options.update(format_whitelist=','.join(CONTAINERS))
    options.update(protocol_whitelist=NOTHING)
    try:
        container = av.open(
            file,
            # As `options`, PyAV 16 passes them on to streams that it does not
            # know yet, and its process ends.
            container_options=options,
            io_open=_refuse,
            **OPTIONS,
        )
    except FFmpegError as error:
        if not isinstance(error, ValueError):  # what is left is of the system
            raise
        raise UnreadableError(
            'there is no video in it that is read here (playlists, pictures, '
            'sounds and texts are none), or its start is damaged.'
        ) from error
    if container.metadata.get('major_brand') in PICTURES:
        raise UnreadableError('there is no video in it, but a picture.')
    return container


def _refuse(url: str, flags: int, options: dict) -> BinaryIO:
    """Reject what a video refers to."""
    raise UnreadableError(f"it refers to '{url}', which is not opened.")


def check_regular(path: Union[str, os.PathLike]) -> None:
    """Reject pipes, devices and folders, before anything waits for them.

    Args:
        path (str | os.PathLike): The path.

    Raises:
        UnreadableError: If there is something else than a file.
        FileNotFoundError: If there is nothing.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kinds = dict(p='a pipe', d='a folder', s='a socket')
        kind = kinds.get(stat.filemode(mode)[0], 'a device')
        raise UnreadableError(f'it is {kind}, not a file.')


def find_stream(container: Any) -> Any:
    """Find the video that players show.

    Args:
        container (InputContainer): The open file.

    Returns:
        av.VideoStream: FFmpeg's choice among the videos, covers left out.

    Raises:
        UnreadableError: If there is none.
    """
    streams = container.streams.video
    videos = [s for s in streams if not s.disposition & COVER]
    if not videos:
        raise UnreadableError(
            'there is no video in it but a cover picture.'
            if streams
            else 'there is no video in it.'
        )
    stream = container.streams.best('video')
    if stream is None or stream.disposition & COVER:
        # The cover is marked as the default.
        stream = max(videos, key=lambda s: bool(s.disposition & DEFAULT))
    for other in container.streams:
        if other.index != stream.index and hasattr(other, 'discard'):
            other.discard = DISCARD_ALL  # need not even be read
    return stream


def opened(
    file: Union[str, os.PathLike, BinaryIO],
) -> ContextManager[BinaryIO]:
    """Open a path, if it is a file; what is open already stays so."""
    if isinstance(file, (str, os.PathLike)):
        return VideoFile(file)
    return nullcontext(file)


@contextmanager
def ffmpeg_errors() -> Iterator[None]:
    """Raise UnreadableError for FFmpeg's errors, but for files out of reach.

    Only what FFmpeg says of the bytes is translated: a ``TypeError``, of a
    library that has changed, is not the fault of a file.
    """
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except FFmpegError as error:
        raise UnreadableError(f'{error.strerror}.') from error
