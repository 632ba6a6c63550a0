"""Index the packets of a video, and read them again without keeping them."""

from array import array
from typing import Any, BinaryIO, Iterator, NamedTuple, Optional, Union

import av
import av.logging

from .opening import find_stream, open_container

LOST = 'EBML number'  # in what FFmpeg says where a part of a file is lost
MOST = 0.8  # of a file is behind us after its last picture
NONE = -(2**63)  # FFmpeg's AV_NOPTS_VALUE
KEY, DISCARD = 1, 2


class Place(NamedTuple):
    """Where a packet is, and when its frame is shown."""

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
        ValueError: If a part of the file is lost.
    """

    def __init__(
        self, file: Union[str, BinaryIO], container: Any, stream: Any
    ) -> None:
        self.file, self.container, self.stream = file, container, stream
        self.pts, self.dts, self.pos = array('q'), array('q'), array('q')
        self.size, self.flags = array('q'), array('b')
        self.count = 0  # also those that show the last frame again
        self.seeks = True  # until it has led to a wrong place
        for packet in demux_all(container, stream):
            self.count += 1
            if packet.size:
                for times in ('pts', 'dts', 'pos'):
                    value = getattr(packet, times)
                    getattr(self, times).append(
                        NONE if value is None else value
                    )
                self.size.append(packet.size)
                self.flags.append(
                    KEY * packet.is_keyframe | DISCARD * packet.is_discard
                )
        self.count -= 1  # the last one is empty and ends the stream

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

    def read(self, run: range) -> Iterator[av.Packet]:
        """Read packets that follow one another.

        Args:
            run (range): Their places.

        Yields:
            av.Packet: One after the other, the same as at first.

        Raises:
            ValueError: If the file is no longer the same.
        """
        packets = self._seek(run.start)
        if packets is None:
            packets = self._skip(run.start)
        for place in run:
            packet = next(packets, None)
            if packet is None or not self._is(packet, place):
                self.seeks = False
                raise ValueError('it changed while it was read.')
            yield packet

    def _seek(self, start: int) -> Optional[Iterator[av.Packet]]:
        """Jump to a packet; None where the container cannot."""
        where = self[start]
        mov = self.container.format.name.startswith('mov')
        time = where.dts if mov else where.pts
        if not self.seeks or time is None or where.pos is None:
            return None
        try:
            self.container.seek(time, stream=self.stream)
        except (av.error.FFmpegError, OSError):
            return None
        packets = filter(_size, self.container.demux(self.stream))
        for packet in packets:
            if self._is(packet, start):
                return _chain(packet, packets)
            if packet.pos is None or packet.pos > where.pos:
                return None
        return None

    def _skip(self, start: int) -> Iterator[av.Packet]:
        """Open the file again and pass over what comes first."""
        if not isinstance(self.file, str):
            self.file.seek(0)
        self.container = open_container(self.file)
        self.stream = find_stream(self.container)
        packets = filter(_size, self.container.demux(self.stream))
        for _ in range(start):
            next(packets, None)
        return packets

    def _is(self, packet: av.Packet, place: int) -> bool:
        """Whether a packet is the one of a place."""
        known = self[place]
        return (packet.pts, packet.pos, packet.size) == (
            known.pts,
            known.pos,
            known.size,
        )


def _size(packet: av.Packet) -> int:
    """Return the bytes that a packet holds."""
    return packet.size


def _chain(
    first: av.Packet, others: Iterator[av.Packet]
) -> Iterator[av.Packet]:
    """Put a packet before others."""
    yield first
    yield from others


def demux_all(container: Any, stream: Any) -> Iterator[av.Packet]:
    """Read all packets of a video.

    Where a part of a Matroska file is lost, FFmpeg goes on behind it, and
    only its log tells, or it stops there.

    Args:
        container (av.container.InputContainer): The open file.
        stream (av.VideoStream): Its video.

    Yields:
        av.Packet: One after the other.

    Raises:
        ValueError: At the end, if a part is lost.
    """
    end = 0
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as logs:
            for packet in container.demux(stream):
                end = max(end, (packet.pos or 0) + packet.size)
                yield packet
    finally:
        av.logging.set_level(None)
    lost = [text.strip() for _, _, text in logs if LOST in text]
    if 'matroska' in container.format.name and end < MOST * container.size:
        lost.append(f'nothing is found behind byte {end}')
    if lost:
        raise ValueError(f'a part of it is lost: {lost[0]}.')


def count_stored(file: Union[str, BinaryIO]) -> int:
    """Count the frames of an MP4 file, whether its edit list shows them."""
    if not isinstance(file, str):
        file.seek(0)
    with open_container(file, ignore_editlist='1') as container:
        return sum(1 for _ in container.demux(find_stream(container))) - 1
