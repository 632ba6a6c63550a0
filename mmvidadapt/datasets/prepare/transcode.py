"""A small copy of a video whose frames are cheap to reach.

What loading a clip costs is mostly the decoding of frames that nobody asked
for: those since the last key frame, at a size that is scaled down afterwards.
The copies have a short side and key frames at short distances; frame i of a
copy is frame i of the video.
"""

import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import List, NamedTuple, Tuple, Union

import av
import numpy as np

from mmvidadapt.datasets.readers.open_container import find_stream
from mmvidadapt.utils.video import UnreadableError

from . import ffmpeg
from .decode_frames import decode_all, opened
from .transcode_source import PIXELS, Settings, TranscodeSource, luma

ENCODERS = ('auto', 'pyav', 'ffmpeg')
FALLBACK_RATE = Fraction(25)
WRONG = 20.0  # decibels; a copy that differs so much is of something else


class Copy(NamedTuple):
    """Size, frames and PSNR of a written copy."""

    frames: int
    width: int
    height: int
    bytes_before: int
    bytes_after: int
    psnr: float  # decibels, luma against the video at the same size


def transcode(
    source: Union[str, Path], target: Union[str, Path], settings: Settings
) -> Copy:
    """Write the copy of a video, compare it with the video, then name it.

    Args:
        source (str | Path): The video.
        target (str | Path): The copy, ending in ``.mp4``; it is there whole
            or not at all.
        settings (Settings): How the copy is made.

    Returns:
        Copy: What was written.

    Raises:
        UnreadableError: If the video is damaged, or the copy is not right.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f'.part-{target.name}')
    try:
        original, psnr = _write(Path(source), part, settings)
        sizes = (Path(source).stat().st_size, part.stat().st_size)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return Copy(original.count, *original.size, *sizes, psnr)


def _write(
    source: Path, part: Path, settings: Settings
) -> Tuple[TranscodeSource, float]:
    """Encode and verify, with FFmpeg if it is there and does it right."""
    wanted = settings.encoder
    if wanted != 'pyav' and (wanted == 'ffmpeg' or shutil.which('ffmpeg')):
        original = TranscodeSource(source, settings)
        for _ in original.frames():  # to know what the copy should be
            pass
        try:
            ffmpeg.encode(source, part, original.size, settings.options)
            return original, verify(part, original)
        except (OSError, ValueError):
            if wanted == 'ffmpeg':
                raise
    original = TranscodeSource(source, settings)
    encode(original, part)
    return original, verify(part, original)


def encode(original: TranscodeSource, part: Path) -> None:
    """Write a copy through PyAV."""
    rate, colors = _tags(original.path)
    with av.open(os.path.abspath(part), 'w', format='mp4') as container:
        stream = None
        for number, frame in enumerate(original.frames()):
            if stream is None:
                stream = container.add_stream(
                    'libx264', rate=rate, options=original.settings.options
                )
                stream.width, stream.height = original.size
                stream.pix_fmt = PIXELS
                stream.thread_count = 1
                for key, value in colors.items():
                    setattr(stream.codec_context, key, value)
            frame.pts, frame.time_base = number, 1 / rate
            frame.pict_type = 0  # the encoder decides
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def _tags(path: Path) -> Tuple[Fraction, dict]:
    """Return the frame rate of a video, and what its colours mean."""
    with opened(path) as container:
        stream = find_stream(container)
        names = ('color_primaries', 'color_trc', 'colorspace')
        colors = {key: getattr(stream.codec_context, key) for key in names}
        return stream.average_rate or FALLBACK_RATE, colors


def verify(part: Path, original: TranscodeSource) -> float:
    """Compare a copy with what was noted of the video.

    Args:
        part (Path): The copy.
        original (TranscodeSource): The video, read to its end.

    Returns:
        float: How near the two are, in decibels.

    Raises:
        UnreadableError: If it is not a copy, frame by frame.
    """
    errors, count, gop = [], 0, original.settings.gop
    for frame in decode_all(part):
        if (frame.width, frame.height) != original.size:
            raise UnreadableError(
                f'the copy is {frame.width}x{frame.height}, not '
                f'{original.size[0]}x{original.size[1]}.'
            )
        if count % gop == 0 and count // gop < len(original.samples):
            difference = luma(frame).astype(np.float32)
            difference -= original.samples[count // gop]
            errors.append(float(np.square(difference).mean()))
        count += 1
    if count != original.count:
        raise UnreadableError(
            f'the copy has {count} of {original.count} frames.'
        )
    keys = key_frames(part)
    if max(np.diff([*keys, count])) > gop:
        raise UnreadableError(f'the copy has key frames at {keys} only.')
    psnr = 10 * float(np.log10(255**2 / max(np.mean(errors), 1e-3)))
    if psnr < WRONG:
        raise UnreadableError(f'the copy looks different: {psnr:.1f} dB.')
    return psnr


def key_frames(path: Union[str, Path]) -> List[int]:
    """Return the numbers of the packets from which decoding can start."""
    with opened(path) as container:
        stream = find_stream(container)
        packets = [p for p in container.demux(stream) if p.size]
    return [i for i, packet in enumerate(packets) if packet.is_keyframe]
