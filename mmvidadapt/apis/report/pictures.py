"""Turn frames and maps into pictures that a page carries in itself."""

import base64
from pathlib import Path
from typing import List, Sequence, Union

import cv2
import numpy as np

from mmvidadapt.datasets.readers import open_video
from mmvidadapt.utils.video import name_video

SIDE, QUALITY = 192, 72  # the longer side in pixels; of JPEG
SMALL = 96  # frames of tiny models are enlarged up to here
STRENGTH = 0.75  # how much of a pixel the highest evidence hides
SHOWN = 8  # frames of a clip


def spread(number: int, wanted: int = SHOWN) -> List[int]:
    """Return the places of some frames, evenly spread over all."""
    wanted = min(number, wanted)
    return [int((i + 0.5) * number / wanted) for i in range(wanted)]


def video_frames(
    path: Union[str, Path], wanted: int = SHOWN
) -> List[np.ndarray]:
    """Read some frames of a video, evenly spread.

    Args:
        path (str | Path): The video.
        wanted (int): How many. Defaults to 8.

    Returns:
        List[np.ndarray]: RGB, uint8, each ``(H, W, 3)``.

    Raises:
        VideoError: If it cannot be read.
    """
    with name_video(path):
        reader = open_video(str(path))
        return reader.get_frames(spread(len(reader), wanted))


def shrink(frame: np.ndarray) -> np.ndarray:
    """Resize a frame (H, W, 3) to what a page shows of it."""
    longer = max(frame.shape[:2])
    scale = min(1.0, SIDE / longer)
    if longer < SMALL:
        scale = SMALL / longer
    if scale == 1:
        return frame
    size = [max(1, round(side * scale)) for side in frame.shape[1::-1]]
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(frame, size, interpolation=kind)


def data_uri(frame: np.ndarray) -> str:
    """Encode an RGB frame (H, W, 3), uint8, as an address that holds it."""
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    done, data = cv2.imencode('.jpg', frame[..., ::-1], options)
    assert done
    return 'data:image/jpeg;base64,' + base64.b64encode(data).decode()


def heat(frames: np.ndarray, maps: np.ndarray) -> List[np.ndarray]:
    """Colour frames where there is evidence; the rest stays as it is.

    Args:
        frames (np.ndarray): RGB, uint8, ``(T, H, W, 3)``.
        maps (np.ndarray): Evidence, at least 0, ``(T, h, w)``.

    Returns:
        List[np.ndarray]: T frames ``(H, W, 3)``, all on one scale.
    """
    scaled = maps / max(float(maps.max()), 1e-12)
    drawn = []
    for frame, level in zip(frames, scaled.astype(np.float32)):
        frame = shrink(frame)
        level = cv2.resize(
            level, frame.shape[1::-1], interpolation=cv2.INTER_CUBIC
        ).clip(0, 1)
        colours = cv2.applyColorMap(
            (255 * level).astype(np.uint8), cv2.COLORMAP_INFERNO
        )[..., ::-1]
        hidden = STRENGTH * np.sqrt(level)[..., None]
        drawn.append(
            (frame * (1 - hidden) + colours * hidden).round().astype(np.uint8)
        )
    return drawn


def chosen(frames: Sequence[np.ndarray]) -> List[np.ndarray]:
    """Choose the frames that are shown, evenly spread."""
    return [frames[i] for i in spread(len(frames))]
