"""Open video files through FFmpeg, and nothing else that it can open."""

import os
import stat
from contextlib import contextmanager, nullcontext
from typing import Any, BinaryIO, ContextManager, Iterator, Union

import av
from av.error import FFmpegError
from av.stream import Disposition

# Demuxers of files that hold their video themselves. Playlists and scripts
# (ffconcat, HLS, DASH, SDP) name other files or addresses, picture and text
# demuxers take anything for a video of one frame.
DEMUXERS = (
    'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,'
    'live_flv,ogg,gif,asf,asf_o,rm,mxf,nut,dv,wtv,ivf,obu,av1,h264,hevc,vvc,'
    'm4v,h263,vc1,dirac,mjpeg,mpjpeg,yuv4mpegpipe,apng'
)
COVER = Disposition.attached_pic
DISCARD_ALL = 48  # FFmpeg's AVDISCARD_ALL
# PyAV before 19 stops at metadata that is not UTF-8, unless told otherwise.
OPTIONS = (
    {}
    if int(av.__version__.split('.')[0]) >= 19
    else dict(metadata_errors='ignore')
)


def open_container(
    file: Union[str, BinaryIO], **options: str
) -> av.container.InputContainer:
    """Open a video file, so that it cannot make FFmpeg open anything else.

    Args:
        file (str | BinaryIO): Path, or the content.
        **options (str): Options of the demuxer.

    Returns:
        av.container.InputContainer: The open container.

    Raises:
        ValueError: If it is no file, or of no kind that holds a video.
    """
    if isinstance(file, (str, os.PathLike)):
        check_regular(file)
        # Absolute: FFmpeg takes 'clip:1.mp4' for an address.
        file = os.path.abspath(file)
    options.update(format_whitelist=DEMUXERS, protocol_whitelist='file')
    try:
        return av.open(file, options=options, **OPTIONS)
    except (av.error.ArgumentError, av.error.InvalidDataError) as error:
        raise ValueError(
            'there is no video in it that is read here (playlists, pictures, '
            'sounds and texts are none), or its start is damaged.'
        ) from error


def check_regular(path: Union[str, os.PathLike]) -> None:
    """Reject pipes, devices and folders, before anything waits for them.

    Args:
        path (str | os.PathLike): The path.

    Raises:
        ValueError: If there is something else than a file.
        FileNotFoundError: If there is nothing.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kinds = dict(p='a pipe', d='a folder', s='a socket')
        kind = kinds.get(stat.filemode(mode)[0], 'a device')
        raise ValueError(f'it is {kind}, not a file.')


def find_stream(container: Any) -> Any:
    """Find the video that players show.

    Args:
        container (av.container.InputContainer): The open file.

    Returns:
        av.VideoStream: FFmpeg's choice among the videos, covers left out.

    Raises:
        ValueError: If there is none.
    """
    streams = container.streams.video
    videos = [s for s in streams if not s.disposition & COVER]
    if not videos:
        raise ValueError(
            'there is no video in it but a cover picture.'
            if streams
            else 'there is no video in it.'
        )
    best = container.streams.best('video')
    stream = next((s for s in videos if s.index == best.index), videos[0])
    for other in container.streams:
        if other.index != stream.index and hasattr(other, 'discard'):
            other.discard = DISCARD_ALL  # need not even be read
    return stream


def opened(file: Union[str, BinaryIO]) -> ContextManager[BinaryIO]:
    """Open a path, if it is a file; what is open already stays so."""
    if not isinstance(file, str):
        return nullcontext(file)
    check_regular(file)
    return open(file, 'rb')


@contextmanager
def ffmpeg_errors() -> Iterator[None]:
    """Raise ValueError for FFmpeg's errors, but for files out of reach.

    Only what FFmpeg says of the bytes is translated: a ``TypeError``, of a
    library that has changed, is not the fault of a file.
    """
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except FFmpegError as error:
        raise ValueError(f'{error.strerror}.') from error
