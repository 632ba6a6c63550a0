"""Cut videos, cameras and folders into what a recognizer can classify."""

from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Union

import cv2
import numpy as np

from mmvidadapt.utils.video import EXTENSIONS, name_video

FALLBACK_FPS = 25.0  # some cameras and files do not tell theirs


class Span(NamedTuple):
    """Frames ``[first, last)`` of a video."""

    first: int
    last: int


class VideoInfo(NamedTuple):
    """What the container says."""

    num_frames: int
    fps: float


def list_videos(folder: Union[str, Path]) -> List[Path]:
    """Return the videos of a folder, in the order of their names."""
    found = sorted(
        p for p in Path(folder).rglob('*') if p.suffix.lower() in EXTENSIONS
    )
    if not found:
        raise ValueError(
            f'There is no video in {folder}; known endings: '
            f'{", ".join(EXTENSIONS)}.'
        )
    return found


def open_capture(source: Union[str, Path, int]) -> cv2.VideoCapture:
    """Open a file or a camera with OpenCV."""
    capture = cv2.VideoCapture(
        source if isinstance(source, int) else str(source)
    )
    if not capture.isOpened():
        what = 'camera' if isinstance(source, int) else 'video'
        raise ValueError(
            f"Cannot open {what} '{source}'; is it there, and is it a video?"
        )
    return capture


def video_info(path: Union[str, Path]) -> VideoInfo:
    """Read the number of frames and the frame rate as the decoder sees them.

    Args:
        path (str | Path): The video.

    Returns:
        VideoInfo: Number of frames and frames per second.
    """
    import decord

    with name_video(path):
        reader = decord.VideoReader(str(path), num_threads=1)
        return VideoInfo(len(reader), reader.get_avg_fps() or FALLBACK_FPS)


def spans(
    info: VideoInfo, window: Optional[float], stride: Optional[float]
) -> List[Span]:
    """Cut a video into windows; the last one ends with the video.

    Args:
        info (VideoInfo): Length and frame rate of the video.
        window (float, optional): Seconds per window; None takes all.
        stride (float, optional): Seconds between the starts of two windows;
            None: as long as a window.

    Returns:
        List[Span]: At least one window, in order.
    """
    for name, seconds in (('window', window), ('stride', stride)):
        if seconds is not None and seconds <= 0:
            raise ValueError(f'{name}={seconds} must be more than 0 seconds.')
    if window is None and stride is not None:
        raise ValueError(f'stride={stride} needs a window.')
    length = min(info.num_frames, max(1, round((window or 0) * info.fps)))
    if window is None or length == info.num_frames:
        return [Span(0, info.num_frames)]
    step = max(1, round((stride or window) * info.fps))
    starts = list(range(0, info.num_frames - length, step))
    return [Span(s, s + length) for s in starts + [info.num_frames - length]]


def restrict(span: Span) -> Callable[[dict], dict]:
    """Return a pipeline step that hides what is outside a window.

    It stands between ``DecordInit`` and the sampling of frames.
    """

    def step(results: dict) -> dict:
        results['start_index'] = results.get('start_index', 0) + span.first
        results['total_frames'] = span.last - span.first
        return results

    return step


def read_frames(path: Union[str, Path]) -> Iterator[np.ndarray]:
    """Yield the RGB frames (H, W, 3) of a video."""
    capture = open_capture(path)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


class Camera:
    """A camera, open until its windows end.

    Args:
        index (int): Its number.
    """

    def __init__(self, index: int) -> None:
        self.index, self.capture = index, open_capture(index)
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if fps > 0 else FALLBACK_FPS

    def windows(self, seconds: float) -> Iterator[List[np.ndarray]]:
        """Yield the RGB frames of so many seconds, on and on."""
        length, frames = max(1, round(seconds * self.fps)), []
        try:
            while True:
                there, frame = self.capture.read()
                if not there:
                    return
                frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
                if len(frames) == length:
                    yield frames
                    frames = []
        finally:
            self.capture.release()
