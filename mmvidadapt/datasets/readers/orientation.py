"""Turn and mirror frames as their file asks for."""

from typing import Optional, Tuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

# PyAV 17 and newer start threads for every frame, unless told otherwise: that
# takes longer than the work, and a process forked later waits for them.
ONE_THREAD = dict(threads=1) if int(av.__version__.split('.')[0]) > 16 else {}
Orientation = Tuple[bool, bool, bool]
AS_STORED: Orientation = (False, False, False)


def orientation(frame: av.VideoFrame) -> Orientation:
    """Read the display matrix of a frame, to the nearest quarter turn.

    Once a video is enough: a frame that was asked for its side data is freed
    by the garbage collector only.

    Args:
        frame (av.VideoFrame): A decoded frame.

    Returns:
        tuple: Whether to swap rows and columns, then whether to flip left
        and right, then whether to flip top and bottom.
    """
    data = frame.side_data.get('DISPLAYMATRIX')
    if data is None:
        return AS_STORED
    # A pixel at (x, y) is shown at (a x + c y, b x + d y), y pointing down.
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].astype(float)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return (False, a < 0, d < 0)
    return (True, c < 0, b < 0)


class Upright:
    """Convert the frames of a video to RGB, as players show them."""

    def __init__(self) -> None:
        self.reformat = VideoReformatter().reformat
        self.turn: Optional[Orientation] = None

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """Convert a frame.

        Args:
            frame (av.VideoFrame): A decoded frame.

        Returns:
            np.ndarray: uint8, (H, W, 3), contiguous.
        """
        if self.turn is None:
            self.turn = orientation(frame)
        swap, left_right, up_down = self.turn
        rgb = self.reformat(frame, format='rgb24', **ONE_THREAD)
        image = rgb.to_ndarray()
        if swap:
            image = image.swapaxes(0, 1)
        if left_right:
            image = image[:, ::-1]
        if up_down:
            image = image[::-1]
        return np.ascontiguousarray(image)
