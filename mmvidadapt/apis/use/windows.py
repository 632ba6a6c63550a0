"""Cut videos, cameras and folders into what a recognizer can classify."""

import logging
import math
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Union

import cv2
import numpy as np
from mmengine.logging import print_log

from mmvidadapt.datasets.prepare.video_folders import (
    name_others,
    no_video,
    walk_videos,
)
from mmvidadapt.datasets.readers import iter_frames, open_video
from mmvidadapt.utils.video import name_video

FALLBACK_FPS = 25.0  # some cameras and files do not tell theirs


class Span(NamedTuple):
    """Frames ``[first, last)`` of a video."""

    first: int
    last: int


class VideoInfo(NamedTuple):
    """Size, rate and length that a container claims."""

    num_frames: int
    fps: float


def list_videos(folder: Union[str, Path]) -> List[Path]:
    """Return the videos of a folder, in the order of their names.

    Other files are counted and named in the log.
    """
    folder, others = Path(folder), []
    found = sorted(folder / path for path in walk_videos(folder, others))
    if not found:
        raise ValueError(no_video(folder, others))
    for note in name_others(others):
        print_log(f'{folder}: {note}', 'current', logging.WARNING)
    return found


def open_camera(index: int) -> cv2.VideoCapture:
    """Open a camera with OpenCV."""
    capture = cv2.VideoCapture(index)
    if not capture.isOpened():
        raise ValueError(
            f"Cannot open camera '{index}'; is it there, and free?"
        )
    return capture


def video_info(path: Union[str, Path]) -> VideoInfo:
    """Read the number of frames and the frame rate as the decoder sees them.

    Args:
        path (str | Path): The video.

    Returns:
        VideoInfo: Number of frames and frames per second.
    """
    with name_video(path):
        reader = open_video(str(path))
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
        if seconds is not None and not 0 < seconds < math.inf:  # nor NaN
            raise ValueError(f'{name}={seconds} must be more than 0 seconds.')
    if window is None and stride is not None:
        raise ValueError(f'stride={stride} needs a window.')
    length = min(info.num_frames, max(1, round((window or 0) * info.fps)))
    if window is None or length == info.num_frames:
        return [Span(0, info.num_frames)]
    step = max(1, round((stride or window) * info.fps))
    starts = list(range(0, info.num_frames - length, step))
    return [Span(s, s + length) for s in starts + [info.num_frames - length]]


def read_frames(path: Union[str, Path]) -> Iterator[np.ndarray]:
    """Yield the RGB frames (H, W, 3) of a video, upright, one by one.

    Args:
        path (str | Path): The video.

    Yields:
        np.ndarray: uint8.

    Raises:
        ValueError: If there is no such file.
        VideoError: If it cannot be opened, or decoded to its end.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"Cannot open video '{path}'; is it there, and is it a video?"
        )
    with name_video(path):
        reader = open_video(str(path))
        frames = iter_frames(reader, range(len(reader)))
    while True:
        with name_video(path):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame[1]


class Camera:
    """A camera, open until its windows end.

    Args:
        index (int): Its number.
    """

    def __init__(self, index: int) -> None:
        self.index, self.capture = index, open_camera(index)
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
