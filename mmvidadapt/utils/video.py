"""Write videos with text burnt in, and name the ones that fail."""

import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, Sequence, Tuple, Union

import cv2
import numpy as np

from .printable import printable

# Demuxer of FFmpeg that is used -> what its files are called. They hold their
# video themselves: playlists and scripts (ffconcat, HLS, DASH, SDP) name other
# files or addresses; those of pictures, sounds and texts hold no video.
CONTAINERS = dict(
    mov='mp4 mov m4v 3gp 3g2 3gpp mp4v f4v qt',
    matroska='mkv webm mk3d',
    avi='avi divx xvid amv',
    mpegts='ts mts m2ts m2t tp trp tod',
    mpeg='mpg mpeg mpe vob m2p mod vro evo',
    mpegvideo='m1v m2v mpv',
    flv='flv',
    live_flv='',
    ogg='ogv ogm ogx ogg',
    gif='gif',
    asf='wmv asf dvr-ms',
    rm='rm rmvb',
    mxf='mxf',
    nut='nut',
    dv='dv dif',
    wtv='wtv',
    dhav='dav',
    ivf='ivf',
    obu='obu',
    av1='av1',
    h264='h264 264 avc',
    hevc='hevc h265 265',
    vvc='vvc h266 266',
    m4v='',
    h263='h263',
    vc1='vc1',
    dirac='drc',
    mjpeg='mjpeg mjpg',
    yuv4mpegpipe='y4m',
    apng='apng',
)
EXTENSIONS = tuple(
    f'.{name}' for names in CONTAINERS.values() for name in names.split()
)
FONT = cv2.FONT_HERSHEY_SIMPLEX
MIN_SIDE = 224  # smaller frames are enlarged, so that text can be read
DECODER_ERRORS = {'decord': 'DECORDError', 'av.error': 'FFmpegError'}
PLAIN_LIBRARIES = ('decord', 'torchcodec')  # raise RuntimeError
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class UnreadableError(ValueError):
    """Error in a video, raised where its name is not known yet."""


class VideoError(UnreadableError):
    """A video that cannot be read; the message names its file."""


def unreadable() -> Tuple[type, ...]:
    """Return what may be raised where a video is missing or damaged."""
    return (OSError, MemoryError, UnreadableError, *_decoders_errors())


def _decoders_errors() -> Tuple[type, ...]:
    """Return what decoders raise where the bytes of a video are wrong."""
    errors = [cv2.error]
    for module, name in DECODER_ERRORS.items():
        found = sys.modules.get(module)
        if found is not None:  # of steps that do not name the video
            errors.append(getattr(found, name))
    return tuple(errors)


def _is_of_file(error: Exception) -> bool:
    """Check whether an error is a decoder's, who found wrong bytes."""
    if isinstance(error, cv2.error):
        return 'empty()' in str(error)  # a frame that could not be decoded
    if isinstance(error, (UnreadableError, *_decoders_errors())):
        return True
    # Some libraries raise plain types.
    return isinstance(error, (RuntimeError, ValueError)) and any(
        frame.f_globals.get('__name__', '').split('.')[0] in PLAIN_LIBRARIES
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )


@contextmanager
def name_video(path: Union[str, Path]) -> Iterator[None]:
    """Make errors of decoders, which raise types of their own, name the file.

    Args:
        path (str | Path): The video that is read inside the context.

    Raises:
        VideoError: In the place of a decoder's error. What no file can cause,
            any other ``ValueError`` or a ``TypeError`` of a library that has
            changed, stays as it is.
    """
    try:
        yield
    except (MemoryError, OSError, VideoError):
        raise  # nothing that the bytes of the file can cause, or named
    except Exception as error:
        if not _is_of_file(error):
            raise
        reason = str(error).strip() or type(error).__name__
        raise VideoError(
            f'{path} cannot be read as a video: {reason.splitlines()[0]} '
            'Fetch the file again, or leave it out.'
        ) from error


def write_video(
    path: Union[str, Path], frames: Iterable[np.ndarray], fps: float
) -> None:
    """Write RGB frames (H, W, 3) of one size as MPEG-4.

    Args:
        path (str | Path): The file to write, ending in ``.mp4``.
        frames (Iterable[np.ndarray]): The frames, uint8.
        fps (float): Frames per second.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    try:
        for frame in frames:
            if writer is None:
                writer = _open_writer(path, frame.shape[1::-1], fps)
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    finally:  # also when the frames end in an error or in Ctrl-C
        if writer is not None:
            writer.release()
    if writer is None:
        raise ValueError(f'There is no frame to write to {path}.')


def _open_writer(
    path: Path, size: Tuple[int, int], fps: float
) -> cv2.VideoWriter:
    """Open a file for frames of a size (width, height)."""
    try:
        os.fspath(path).encode()  # OpenCV ends the process on others
    except UnicodeEncodeError as error:
        raise ValueError(
            f'OpenCV cannot write {printable(path)}, whose name is no UTF-8; '
            'rename the video, or choose another name.'
        ) from error
    # Absolute: OpenCV takes 'http:clip.mp4' for an address, and goes there.
    target, kind = str(path.absolute()), cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(target, kind, fps, size)
    if not writer.isOpened():
        raise ValueError(
            f'OpenCV cannot write {path} ({size[0]}x{size[1]}, {fps:g} '
            'frames per second); choose a name that ends in .mp4.'
        )
    return writer


def draw_text(frame: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """Return a copy of an RGB frame with lines of text at the top left."""
    grow = max(1.0, MIN_SIDE / min(frame.shape[:2]))
    # MPEG-4 wants even sides.
    size = [int(round(side * grow)) // 2 * 2 for side in frame.shape[1::-1]]
    frame = cv2.resize(frame, size) if grow > 1 else frame.copy()
    scale = min(size) / 480
    step = int(34 * scale)
    for i, line in enumerate(lines):
        at = (int(10 * scale), step * (i + 1))
        for color, width in ((BLACK, 4), (WHITE, 1)):  # outline, then text
            cv2.putText(
                frame,
                printable(line),
                at,
                FONT,
                scale,
                color,
                max(1, int(width * scale + 0.5)),
                cv2.LINE_AA,
            )
    return frame
