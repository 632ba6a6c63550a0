"""Exact random access to the frames of a video, through PyAV.

What decoding costs is the frames between a key frame and the one that is
wanted. Those that no other frame refers to (most B-frames) are left out here,
and nothing is decoded twice or behind the last wanted frame, so that the same
pixels come at a fraction of the price.
"""

from typing import BinaryIO, Dict, Iterator, List, Sequence, Set, Union

import av
import numpy as np
from av.error import FFmpegError

from .container import check_size
from .opening import ffmpeg_errors, find_stream, open_container, opened
from .orientation import Upright
from .packets import Packets

# Containers that say when a frame is shown; others, AVI say, only in which
# order frames are decoded.
TIMED = ('mov', 'matroska', 'mpegts', 'flv')
# Decoders that look at `skip_frame` anew for every packet.
SKIPPING = ('h264', 'hevc', 'mpeg4', 'mpeg2video', 'vp8', 'vp9')
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
        with ffmpeg_errors():
            with opened(file) as content:
                check_size(content)
            container = open_container(file)
            self.stream = find_stream(container)
            self.codec = self.stream.codec_context
            if self.codec is None:
                raise ValueError('no decoder knows its video.')
            self.codec.thread_count = num_threads
            self.codec.thread_type = 'AUTO' if num_threads > 1 else 'NONE'
            self.codec.options = dict(max_pixels=str(MAX_PIXELS))
            self.packets = Packets(file, container, self.stream)
            kind = container.format.name.split(',')[0]
            self._check_count(file, kind)
        self.rgb = Upright()
        shown = [i for i, p in enumerate(self.packets) if not p.is_discard]
        if not shown:
            raise ValueError('there is no frame in it.')
        self.timed = self._tells_times(kind)
        if self.timed:
            shown.sort(key=lambda i: self.packets[i].pts)
        self.shown = shown  # where the packet of every frame is

    def _check_count(self, file: Union[str, BinaryIO], kind: str) -> None:
        """Raise where fewer frames are stored than the header says."""
        stored, promised = self.packets.count, self.stream.frames
        share = 1 if kind == 'mov' else DROPPED
        if kind == 'mov' and stored < promised:
            # An edit list leaves some out, as phones do when they trim.
            stored = count_stored(file)
        if stored < share * promised:
            raise ValueError(f'it ends after {stored} of {promised} frames.')

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
        with ffmpeg_errors():
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
        for count, frame in enumerate(self.decode(range(len(self.packets)))):
            _check(frame)
            last = frame
            if count in wanted:
                frames[count] = self.rgb(frame)
            if len(frames) == len(wanted):
                return frames
        if last is None:
            raise ValueError('no frame can be decoded.')
        # A packet of MPEG-4 may say no more than that a frame is shown again.
        last = self.rgb(last)
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
            for frame in self.decode(run, places, skip):
                _check(frame)
                if frame.pts in numbers:
                    frames[numbers[frame.pts]] = self.rgb(frame)
        missing = sorted(set(numbers.values()) - set(frames))
        if missing:
            raise ValueError(f'frames {missing} cannot be decoded.')
        return frames

    def decode(
        self, run: range, wanted: Sequence[int] = (), skip: bool = False
    ) -> Iterator[av.VideoFrame]:
        """Decode packets, if need be without what nobody refers to.

        Args:
            run (range): Their places.
            wanted (Sequence[int]): Places of frames that must come.
                Defaults to ().
            skip (bool): Whether frames that no other refers to may be left
                out. Defaults to False.

        Yields:
            av.VideoFrame: One after the other, as they are shown.
        """
        skip = skip and self.codec.name in SKIPPING
        try:
            for place, packet in zip(run, self.packets.read(run)):
                if skip:
                    spared = 'DEFAULT' if place in wanted else 'NONREF'
                    self.codec.skip_frame = spared
                yield from self.codec.decode(packet)
            yield from self.codec.decode(None)
        finally:
            self.codec.skip_frame = 'DEFAULT'
            self.codec.flush_buffers()


def _check(frame: av.VideoFrame) -> None:
    """Raise where the decoder had to guess."""
    if frame.is_corrupt:
        raise ValueError(f'the frame at {frame.time} s is damaged.')


def count_stored(file: Union[str, BinaryIO]) -> int:
    """Count the frames of an MP4 file, whether its edit list shows them."""
    if not isinstance(file, str):
        file.seek(0)
    with open_container(file, ignore_editlist='1') as container:
        return sum(1 for _ in container.demux(find_stream(container))) - 1
