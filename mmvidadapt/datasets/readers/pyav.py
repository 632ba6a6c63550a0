"""Exact random access to the frames of a video, through PyAV.

What decoding costs is the frames between a key frame and the one that is
wanted. Those that no other frame refers to (most B-frames) are left out here,
and nothing is decoded twice or behind the last wanted frame, so that the same
pixels come at a fraction of the price.
"""

from contextlib import contextmanager
from typing import (
    BinaryIO,
    Dict,
    Iterator,
    List,
    Sequence,
    Set,
    Union,
)

import av
import numpy as np
from av.error import FFmpegError

from .container import check_size, opened, read_packets

# Containers that say when a frame is shown; others, AVI say, only in which
# order frames are decoded.
TIMED = ('mov', 'matroska', 'mpegts', 'flv')
# Decoders that look at `skip_frame` anew for every packet.
SKIPPING = ('h264', 'hevc', 'mpeg4', 'mpeg2video', 'vp8', 'vp9')
# What FFmpeg would read as a video of one frame, or of letters.
NO_VIDEOS = ('image2', 'tty', '_pipe')
DROPPED = 0.9  # at least so many of the promised frames are there
MAX_PIXELS = 2**26  # of a frame; a damaged header may ask for any memory


class PyAVReader:
    """The frames of a video by their number, in the order they are shown.

    Args:
        file (str | BinaryIO): Path, or the content.
        num_threads (int): Threads that decode. Defaults to 1.

    Raises:
        ValueError: If there is no video in the file, or less of it than its
            header says.
    """

    def __init__(
        self, file: Union[str, BinaryIO], num_threads: int = 1
    ) -> None:
        with _reasons():
            with opened(file) as content:
                check_size(content)
            self.container = av.open(file, metadata_errors='ignore')
            kind = self.container.format.name.split(',')[0]
            streams = self.container.streams.video
            if not streams or kind.endswith(NO_VIDEOS):
                raise ValueError(f'there is no video in it ({kind}).')
            self.stream = streams[0]
            self.codec = self.stream.codec_context
            if self.codec is None:
                raise ValueError('no decoder knows its video.')
            self.codec.thread_count = num_threads
            self.codec.thread_type = 'AUTO' if num_threads > 1 else 'NONE'
            self.codec.options = dict(max_pixels=str(MAX_PIXELS))
            packets = read_packets(self.container, self.stream)
        packets = packets[:-1]  # the last one is empty and ends the stream
        share = 1 if kind == 'mov' else DROPPED
        if len(packets) < share * self.stream.frames:
            raise ValueError(
                f'it ends after {len(packets)} of {self.stream.frames} frames.'
            )
        self.packets = [p for p in packets if p.size]
        shown = [i for i, p in enumerate(self.packets) if not p.is_discard]
        if not shown:
            raise ValueError('there is no frame in it.')
        self.timed = self._tells_times(kind)
        if self.timed:
            shown.sort(key=lambda i: self.packets[i].pts)
        self.shown = shown  # where the packet of every frame is

    def _tells_times(self, kind: str) -> bool:
        """Whether packets and frames can be matched by their times."""
        times = [p.pts for p in self.packets]
        if None in times or len(set(times)) < len(times):
            return False
        if kind in TIMED:
            return True
        in_order = times == [p.dts for p in self.packets]
        return in_order and not self.codec.has_b_frames

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.shown)

    def get_avg_fps(self) -> float:
        """Return the frames per second."""
        return float(self.stream.average_rate or 0)

    def get_frames(self, indices: Sequence[int]) -> List[np.ndarray]:
        """Decode some frames in one pass.

        Args:
            indices (Sequence[int]): Their numbers, in any order.

        Returns:
            List[np.ndarray]: RGB, (H, W, 3), upright, each with its own
            memory.

        Raises:
            ValueError: If what is needed for a frame is damaged.
        """
        indices = [int(i) for i in indices]
        if not 0 <= min(indices) <= max(indices) < len(self):
            raise IndexError(f'frames {indices} of a video of {len(self)}')
        with _reasons():
            frames = (self._timed if self.timed else self._counted)(
                set(indices)
            )
        images, given = [], set()
        for image in map(frames.get, indices):
            images.append(image.copy() if id(image) in given else image)
            given.add(id(image))
        return images

    def _counted(self, wanted: Set[int]) -> Dict[int, np.ndarray]:
        """Count the frames that come from the first packet on."""
        frames, last = {}, None
        for count, frame in enumerate(self._decode(range(len(self.packets)))):
            _check(frame)
            last = frame
            if count in wanted:
                frames[count] = upright(frame)
            if len(frames) == len(wanted):
                return frames
        if last is None:
            raise ValueError('no frame can be decoded.')
        # A packet of MPEG-4 may say no more than that a frame is shown again.
        last = upright(last)
        return {i: frames.get(i, last) for i in wanted}

    def _timed(self, wanted: Set[int]) -> Dict[int, np.ndarray]:
        """Decode from key frames, or from the start where that fails."""
        places = {self.shown[i]: i for i in wanted}
        try:
            return self._between(self._runs(places), places, skip=True)
        except (FFmpegError, ValueError):
            # Not every key frame is a place to start from, and a stream that
            # does not say how far frames are reordered needs all of them.
            whole = [range(max(places) + 1)]
            return self._between(whole, places, skip=False)

    def _runs(self, places: Sequence[int]) -> List[range]:
        """Cut out the packets from key frames to wanted frames."""
        runs: List[range] = []
        for place in sorted(places):
            start = self._key_before(place)
            if runs and start < runs[-1].stop:
                start = runs.pop().start
            runs.append(range(start, place + 1))
        return runs

    def _key_before(self, place: int) -> int:
        """Find the key frame that is decoded and shown before a frame."""
        packets, shown = self.packets, self.packets[place].pts
        while place > 0 and not (
            packets[place].is_keyframe and packets[place].pts <= shown
        ):
            place -= 1
        return place

    def _between(
        self, runs: List[range], places: Dict[int, int], skip: bool
    ) -> Dict[int, np.ndarray]:
        """Decode runs of packets and keep the frames of some places."""
        numbers = {self.packets[p].pts: i for p, i in places.items()}
        frames = {}
        for run in runs:
            for frame in self._decode(run, places, skip):
                _check(frame)
                if frame.pts in numbers:
                    frames[numbers[frame.pts]] = upright(frame)
        missing = sorted(set(numbers.values()) - set(frames))
        if missing:
            raise ValueError(f'frames {missing} cannot be decoded.')
        return frames

    def _decode(
        self, run: range, wanted: Sequence[int] = (), skip: bool = False
    ) -> Iterator[av.VideoFrame]:
        """Decode packets, if need be without what nobody refers to."""
        skip = skip and self.codec.name in SKIPPING
        try:
            for place in run:
                packet = self.packets[place]
                if skip:
                    spared = 'DEFAULT' if place in wanted else 'NONREF'
                    self.codec.skip_frame = spared
                yield from self.codec.decode(packet)
            yield from self.codec.decode(None)
        finally:
            self.codec.skip_frame = 'DEFAULT'
            self.codec.flush_buffers()


def upright(frame: av.VideoFrame) -> np.ndarray:
    """Convert a frame to RGB (H, W, 3), turned as its file asks for."""
    image = frame.to_ndarray(format='rgb24')
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns))


def _check(frame: av.VideoFrame) -> None:
    """Raise where the decoder had to guess."""
    if frame.is_corrupt:
        raise ValueError(f'the frame at {frame.time} s is damaged.')


@contextmanager
def _reasons() -> Iterator[None]:
    """Give the errors of FFmpeg one type, but for files out of reach."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except FFmpegError as error:
        raise ValueError(f'{error.strerror}.') from error
