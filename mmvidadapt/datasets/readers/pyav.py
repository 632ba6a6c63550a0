"""Exact random access to the frames of a video, through PyAV.

What decoding costs is the frames between a key frame and the one that is
wanted. Those that no other frame refers to (most B-frames) are left out here,
and nothing is decoded twice or behind the last wanted frame, so that the same
pixels come at a fraction of the price.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import BinaryIO, Dict, Iterator, List, Sequence, Tuple, Union

import av
import numpy as np
from av.error import FFmpegError

from mmvidadapt.utils.video import UnreadableError

from .check_size import check_size
from .open_container import ffmpeg_errors, find_stream, open_container, opened
from .orientation import Upright
from .packets import Packets

# Decoders that look at `skip_frame` anew for every packet.
SKIPPING = ('h264', 'hevc', 'mpeg4', 'mpeg2video', 'vp8', 'vp9')
Frames = Iterator[Tuple[int, np.ndarray]]  # number and frame
MAX_PIXELS = 2**26  # of a frame; a damaged header may ask for any memory
HELD = 32  # frames that wait for one before them; decoders reorder 16


class PyAVReader:
    """The frames of a video by their number, in the order they are shown.

    Args:
        file (str | BinaryIO): Path, or the content.
        num_threads (int): Threads that decode. Defaults to 1.

    Raises:
        UnreadableError: If there is no video in the file, or less of it than
            its header says.
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
                raise UnreadableError('no decoder knows its video.')
            self.codec.thread_count = num_threads
            self.codec.thread_type = 'AUTO' if num_threads > 1 else 'NONE'
            self.codec.options = dict(max_pixels=str(MAX_PIXELS))
            self.codec.open(strict=False)
            self.packets = Packets(file, container, self.stream)
            self.packets.check_count()
        self.rgb = Upright()
        self.keys, shown = self.packets.keys(), self.packets.shown()
        if not shown:
            raise UnreadableError('there is no frame in it.')
        self.timed = self.packets.tell_times(self.codec.has_b_frames)
        if self.timed:
            shown.sort(key=self.packets.pts.__getitem__)
        elif self.packets.kind == 'mov':
            del shown[self._count_decoded() :]
        self.shown = array('q', shown)  # where the packet of every frame is

    def _count_decoded(self) -> int:
        """Count what comes of an edit list that joins several parts.

        Frames that refer to others before a joint are not shown.
        """
        with ffmpeg_errors():
            return sum(1 for _ in self.decode(range(len(self.packets))))

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
            UnreadableError: If what is needed for a frame is damaged.
        """
        indices = [int(i) for i in indices]
        frames = dict(self.iter_frames(indices))
        images, given = [], set()
        for image in map(frames.get, indices):
            images.append(image.copy() if id(image) in given else image)
            given.add(id(image))
        return images

    def iter_frames(self, indices: Sequence[int]) -> Frames:
        """Decode some frames in one pass, and keep none of them.

        Args:
            indices (Sequence[int]): Their numbers, in any order.

        Yields:
            Tuple[int, np.ndarray]: Number and frame, each once, in the order
            in which they are shown.

        Raises:
            UnreadableError: If what is needed for a frame is damaged.
        """
        numbers = sorted({int(i) for i in indices})
        if not 0 <= numbers[0] <= numbers[-1] < len(self):
            raise IndexError(f'frames {numbers} of a video of {len(self)}')
        with ffmpeg_errors():
            yield from (self._timed if self.timed else self._counted)(numbers)

    def _counted(self, wanted: List[int]) -> Frames:
        """Count the frames that come from the first packet on."""
        left, last = wanted[::-1], None  # the next one stands last
        for count, frame in enumerate(self.decode(range(len(self.packets)))):
            _check(frame)
            last = frame
            if count == left[-1]:
                yield left.pop(), self.rgb(frame)
            if not left:
                return
        if last is None:
            raise UnreadableError('no frame can be decoded.')
        # A packet of MPEG-4 may say no more than that a frame is shown again.
        yield from ((number, self.rgb(last)) for number in reversed(left))

    def _timed(self, wanted: List[int]) -> Frames:
        """Decode from key frames, or from the start where that fails."""
        left = wanted[::-1]  # the next one stands last
        places = {self.shown[i]: i for i in wanted}
        try:
            found = self._between(self._runs(places), places, skip=True)
            yield from _in_order(found, left)
        except (FFmpegError, UnreadableError):
            # Not every key frame is a place to start from, and a stream that
            # does not say how far frames are reordered needs all of them.
            if not left:
                return
            places = {self.shown[i]: i for i in left}
            whole = [range(max(places) + 1)]
            yield from _in_order(self._between(whole, places, False), left)

    def _runs(self, places: Dict[int, int]) -> List[range]:
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
        shown, at = self.packets[place].pts, bisect_right(self.keys, place)
        while at and self.packets[self.keys[at - 1]].pts > shown:
            at -= 1
        return self.keys[at - 1] if at else 0

    def _between(
        self, runs: List[range], places: Dict[int, int], skip: bool
    ) -> Frames:
        """Decode runs of packets and give the frames of some places."""
        order = sorted(places)
        for run in runs:
            ends = (bisect_left(order, end) for end in (run.start, run.stop))
            numbers = {
                self.packets[p].pts: places[p] for p in order[slice(*ends)]
            }
            for frame in self.decode(run, places, skip):
                _check(frame)
                if frame.pts in numbers:
                    yield numbers.pop(frame.pts), self.rgb(frame)
            if numbers:
                raise UnreadableError(
                    f'frames {sorted(numbers.values())} cannot be decoded.'
                )

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


def _in_order(frames: Frames, left: List[int]) -> Frames:
    """Hold frames back until those that are shown before have come."""
    held = {}
    for number, frame in frames:
        held[number] = frame
        while left and left[-1] in held:
            number = left.pop()
            yield number, held.pop(number)
        if len(held) > HELD:
            raise UnreadableError(f'frame {left[-1]} cannot be decoded.')


def _check(frame: av.VideoFrame) -> None:
    """Raise where the decoder had to guess."""
    if frame.is_corrupt:
        raise UnreadableError(f'the frame at {frame.time} s is damaged.')
