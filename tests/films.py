"""Small videos of moving shapes, encoded as a test needs them."""

from pathlib import Path
from typing import List

import av
import numpy as np


def film(num_frames: int = 20, width: int = 64, height: int = 48) -> list:
    """Return RGB frames of which no two are alike."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frames = []
    for i in range(num_frames):
        bright = 128 + 90 * np.sin(x / 9 + i / 3) * np.cos(y / 7 - i / 5)
        dim = (bright + bright[::-1]) / 2
        frame = np.stack([bright, dim, 200 - bright / 2], axis=-1)
        frames.append(frame.astype(np.uint8))
    return frames


def encode(
    path: Path,
    frames: List[np.ndarray],
    pix_fmt: str = 'yuv420p',
    codec: str = 'libx264',
    rate: int = 10,
    **options: str,
) -> Path:
    """Write frames with a key frame at the start only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = dict(g='1000', crf='10') if codec == 'libx264' else {}
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(
            codec, rate=rate, options={**known, **options}
        )
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for i, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(frame, format='rgb24')
            image.pts = i
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path
