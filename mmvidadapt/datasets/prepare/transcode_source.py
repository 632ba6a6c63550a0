"""A video as it should be copied, and what is noted of it on the way."""

from pathlib import Path
from typing import Iterator, NamedTuple, Tuple, Union

import av
import cv2
import numpy as np
from av.video.reformatter import (
    ColorRange,
    Interpolation,
    VideoReformatter,
)

from mmvidadapt.datasets.readers.orientation import (
    AS_STORED,
    ONE_THREAD,
    Upright,
    orientation,
)

from .decode_frames import decode_all

PIXELS = 'yuv420p'
AVX512 = 256  # F, CD, BW, DQ and VL: a number of OpenCV without a name
MAX_SAMPLES = 32  # frames of a video that are compared


class Settings(NamedTuple):
    """Settings of transcoded copies.

    ``tune=fastdecode`` costs a tenth more bytes and saves a third of the
    decoding; B-frames that no frame refers to need not be decoded at all.
    """

    short_side: int = 256
    gop: int = 16
    crf: int = 23
    encoder: str = 'auto'

    def check(self) -> None:
        """Raise on settings that no copy can have."""
        lowest = dict(short_side=16, gop=1, crf=0)
        for name, least in lowest.items():
            if getattr(self, name) < least:
                raise ValueError(
                    f'{name}={getattr(self, name)} must be {least} or more.'
                )
        if self.crf > 51:
            raise ValueError(f'crf={self.crf} must be 51 or less.')

    @property
    def options(self) -> dict:
        """Return the options of x264."""
        options = dict(
            preset='veryfast',
            tune='fastdecode',
            crf=str(self.crf),
            g=str(self.gop),
        )
        if cv2.checkHardwareSupport(AVX512):
            # x264's code for AVX-512 does not write the same bytes twice,
            # its older code does, and at the same speed.
            options['x264-params'] = 'asm=AVX2'
        return options


class TranscodeSource:
    """Read a video for transcoding and note what its copy is compared with.

    Args:
        path (str | Path): The video.
        settings (Settings): Decide the size.
    """

    def __init__(self, path: Union[str, Path], settings: Settings) -> None:
        self.path, self.settings = path, settings
        self.count, self.samples = 0, []
        self.size = (0, 0)
        self.convert = VideoReformatter().reformat

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield the frames at the size of the copy."""
        upright, turned = Upright(), None
        for frame in decode_all(self.path):
            if turned is None:
                turned = orientation(frame) != AS_STORED
            if turned:
                frame = av.VideoFrame.from_ndarray(upright(frame))
            if self.count == 0:
                self.size = target_size(frame.width, frame.height, self.side)
            frame = self.convert(
                frame,
                *self.size,
                PIXELS,
                interpolation=Interpolation.BICUBIC,
                src_color_range=frame.color_range,
                dst_color_range=ColorRange.MPEG,  # phones have the other one
                **ONE_THREAD,
            )
            keep = self.count % self.settings.gop == 0
            if keep and len(self.samples) < MAX_SAMPLES:
                self.samples.append(luma(frame))
            self.count += 1
            yield frame

    @property
    def side(self) -> int:
        """Length of the short side of the copy."""
        return self.settings.short_side


def target_size(width: int, height: int, short_side: int) -> Tuple[int, int]:
    """Return an even size with the short side; nothing is enlarged."""
    scale = min(1.0, short_side / min(width, height))
    return tuple(max(2, round(n * scale / 2) * 2) for n in (width, height))


def luma(frame: av.VideoFrame) -> np.ndarray:
    """Return the brightness (H, W) of a frame."""
    return frame.to_ndarray()[: frame.height].copy()
