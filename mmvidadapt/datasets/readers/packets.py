"""Index the packets of a video, and read them again without keeping them."""

from array import array
from itertools import chain
from operator import add, attrgetter
from typing import (
    Any,
    BinaryIO,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Union,
)

import av
import av.logging

from mmvidadapt.utils.video import UnreadableError

from .open_container import find_stream, open_container

# Containers that say when a frame is shown; others, AVI say, only in which
# order frames are decoded.
TIMED = ('mov', 'matroska', 'mpegts', 'flv')
DROPPED = 0.9  # at least so many of the promised frames are there
LOST = 'EBML number'  # in what FFmpeg says where a part of a file is lost
MOST = 0.8  # of a file is behind us after its last picture
NONE = -(2**63)  # FFmpeg's AV_NOPTS_VALUE
KEY, DISCARD = 1, 2
SIZE = attrgetter('size')


class Place(NamedTuple):
    """Position of a packet, and when its frame is shown."""

    pts: Optional[int]
    dts: Optional[int]
    pos: Optional[int]  # in bytes from the start of the file
    size: int
    is_keyframe: bool
    is_discard: bool  # decoded for others, but not shown


class Packets:
    """Index of all packets of a stream; what they hold is read when asked.

    Forty bytes a packet are kept, however large the file is.

    Args:
        file (str | BinaryIO): Path, or the content.
        container (av.container.InputContainer): The file, just opened.
        stream (av.VideoStream): Its video.

    Raises:
        UnreadableError: If a part of the file is lost.
    """

    def __init__(
        self, file: Union[str, BinaryIO], container: Any, stream: Any
    ) -> None:
        self.file, self.container, self.stream = file, container, stream
        self.kind = container.format.name.split(',')[0]
        self.pts, self.dts, self.pos = array('q'), array('q'), array('q')
        self.size, self.flags = array('q'), array('b')
        self.count = 0  # also those that show the last frame again
        self.seeks = True  # until it has led to a wrong place
        for packet in demux_all(container, stream):
            self.count += 1
            if packet.size:
                self.pts.append(_known(packet.pts))
                self.dts.append(_known(packet.dts))
                self.pos.append(_known(packet.pos))
                self.size.append(packet.size)
                self.flags.append(
                    KEY * packet.is_keyframe | DISCARD * packet.is_discard
                )
        self.count -= 1  # the last one is empty and ends the stream
        self._check_end(container)

    def _check_end(self, container: Any) -> None:
        """Raise where FFmpeg found no more of a Matroska file, but is not."""
        if self.kind == 'matroska' and len(self):
            end = max(map(add, self.pos, self.size))
            if end < MOST * container.size:
                raise UnreadableError(
                    f'a part of it is lost: nothing is found behind byte '
                    f'{end}.'
                )

    def __len__(self) -> int:
        """Count the packets that hold something."""
        return len(self.size)

    def __getitem__(self, place: int) -> Place:
        """Return what is known of a packet."""
        times = (self.pts[place], self.dts[place], self.pos[place])
        flags = self.flags[place]
        return Place(
            *(None if n == NONE else n for n in times),
            self.size[place],
            bool(flags & KEY),
            bool(flags & DISCARD),
        )

    def check_count(self) -> None:
        """Reject a video of which less is stored than its header says.

        Raises:
            UnreadableError: If it ends early.
        """
        stored, promised = self.count, self.stream.frames
        mov = self.kind == 'mov'
        if mov and stored < promised:
            # An edit list leaves some out, as phones do when they trim.
            stored = count_stored(self.file)
        if stored < (1 if mov else DROPPED) * promised:
            raise UnreadableError(
                f'it ends after {stored} of {promised} frames.'
            )

    def tell_times(self, has_b_frames: bool) -> bool:
        """Check whether frames can be matched with packets by their times.

        Args:
            has_b_frames (bool): Whether frames are shown in another order
                than they are decoded.

        Returns:
            bool: Whether they can.
        """
        if NONE in self.pts or len(set(self.pts)) < len(self):
            return False
        return self.kind in TIMED or (
            self.pts == self.dts and not has_b_frames
        )

    def keys(self) -> List[int]:
        """Find the packets from which decoding can start."""
        return [i for i, flag in enumerate(self.flags) if flag & KEY]

    def shown(self) -> List[int]:
        """Find the packets whose frames are shown."""
        return [i for i, flag in enumerate(self.flags) if not flag & DISCARD]

    def read(self, run: range) -> Iterator[av.Packet]:
        """Read packets that follow one another.

        Args:
            run (range): Their places.

        Yields:
            av.Packet: One after the other, the same as at first.

        Raises:
            UnreadableError: If the file is no longer the same.
        """
        packets = self._seek(run.start)
        if packets is None:
            packets = self._skip(run.start)
        for place in run:
            packet = next(packets, None)
            if packet is None or not self._is(packet, place):
                self.seeks = False
                raise UnreadableError('it changed while it was read.')
            yield packet

    def _seek(self, start: int) -> Optional[Iterator[av.Packet]]:
        """Jump to a packet; None where the container cannot."""
        where = self[start]
        time = where.dts if self.kind == 'mov' else where.pts
        if not self.seeks or time is None or where.pos is None:
            return None
        try:
            self.container.seek(time, stream=self.stream)
        except (av.error.FFmpegError, OSError):
            return None
        packets = filter(SIZE, self.container.demux(self.stream))
        for packet in packets:
            if self._is(packet, start):
                return chain((packet,), packets)
            if packet.pos is None or packet.pos > where.pos:
                return None
        return None

    def _skip(self, start: int) -> Iterator[av.Packet]:
        """Open the file again and pass over what comes first."""
        if not isinstance(self.file, str):
            self.file.seek(0)
        self.container = open_container(self.file)
        self.stream = find_stream(self.container)
        packets = filter(SIZE, self.container.demux(self.stream))
        for _ in range(start):
            next(packets, None)
        return packets

    def _is(self, packet: av.Packet, place: int) -> bool:
        """Check whether a packet is the one of a place."""
        return (
            self.size[place] == packet.size
            and self.pts[place] == _known(packet.pts)
            and self.pos[place] == _known(packet.pos)
        )


def _known(time: Optional[int]) -> int:
    """Return what an array can hold for a time or a place."""
    return NONE if time is None else time


def demux_all(container: Any, stream: Any) -> Iterator[av.Packet]:
    """Read all packets of a video.

    Where a part of a Matroska file is lost, FFmpeg goes on behind it, and
    only its log tells.

    Args:
        container (av.container.InputContainer): The open file.
        stream (av.VideoStream): Its video.

    Yields:
        av.Packet: One after the other.

    Raises:
        UnreadableError: At the end, if a part is lost.
    """
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as logs:
            yield from container.demux(stream)
    finally:
        av.logging.set_level(None)
    lost = [text.strip() for _, _, text in logs if LOST in text]
    if lost:
        raise UnreadableError(f'a part of it is lost: {lost[0]}.')


def count_stored(file: Union[str, BinaryIO]) -> int:
    """Count the frames of an MP4 file, whether its edit list shows them."""
    if not isinstance(file, str):
        file.seek(0)
    with open_container(file, ignore_editlist='1') as container:
        return sum(1 for _ in container.demux(find_stream(container))) - 1
