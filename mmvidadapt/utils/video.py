"""Write videos with text burnt in, and name the ones that fail."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, Sequence, Tuple, Union

import cv2
import numpy as np

# What files are called that the readers can read.
ENDINGS = (
    'mp4 avi mkv mov webm m4v mpg mpeg flv wmv 3gp ts 3g2 264 265 asf divx '
    'dv f4v gif h264 h265 hevc ivf m1v m2t m2ts m2v mjpeg mjpg mk3d mod mp4v '
    'mpe mpv mts mxf nut obu ogg ogm ogv qt rm rmvb tod vob wtv y4m'
)
EXTENSIONS = tuple(f'.{name}' for name in ENDINGS.split())
FONT = cv2.FONT_HERSHEY_SIMPLEX
MIN_SIDE = 224  # smaller frames are enlarged, so that text can be read
# What bytes make decoders raise. Any other type, a TypeError for one, is a
# mistake of ours or a library that has changed, and says so itself.
DATA_ERRORS = (ValueError, RuntimeError, EOFError)
DECODER_ERRORS = {'decord': 'DECORDError', 'av.error': 'FFmpegError'}
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


class VideoError(ValueError):
    """A video that cannot be read; the message names its file."""


def unreadable() -> Tuple[type, ...]:
    """Return what may be raised where a video is missing or damaged."""
    return (OSError, MemoryError, VideoError, *_decoders_errors())


def _decoders_errors() -> Tuple[type, ...]:
    """Return what decoders raise where the bytes of a video are wrong."""
    errors = [cv2.error]
    for module, name in DECODER_ERRORS.items():
        if module in sys.modules:  # of steps that do not name the video
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


@contextmanager
def name_video(path: Union[str, Path]) -> Iterator[None]:
    """Make errors of decoders, which raise types of their own, name the file.

    Args:
        path (str | Path): The video that is read inside the context.

    Raises:
        VideoError: In the place of a decoder's error; errors that no file
            can cause stay as they are.
    """
    try:
        yield
    except (ImportError, MemoryError, OSError, VideoError):
        raise  # nothing that the bytes of the file can cause, or named
    except (*DATA_ERRORS, *_decoders_errors()) as error:
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
                line,
                at,
                FONT,
                scale,
                color,
                max(1, int(width * scale + 0.5)),
                cv2.LINE_AA,
            )
    return frame
