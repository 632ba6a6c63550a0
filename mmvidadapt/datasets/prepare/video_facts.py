"""Facts about a video file: frames, size, hash."""

from typing import NamedTuple


class VideoFacts(NamedTuple):
    """Facts about a video; 0 and '' for what was not looked at."""

    frames: int = 0
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ''
