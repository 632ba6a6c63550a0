"""Look into the header of an MP4 file, before anybody believes it."""

from typing import BinaryIO, Iterator, NamedTuple

from mmvidadapt.utils.video import UnreadableError

NESTED = (b'moov', b'trak', b'edts', b'mdia', b'minf', b'stbl')
HIDING = (b'free', b'hoov')  # FFmpeg looks for a header in these as well
DEEPEST = 8
MOST_BOXES = 2**18  # a fragment of a second has four of them
MOST_INFLATED = 100  # times its size; what deflate makes of a header


class Box(NamedTuple):
    """A box, and what is in it: the bytes from ``start`` to ``stop``."""

    kind: bytes
    start: int
    stop: int


def boxes(file: BinaryIO, at: int, end: int) -> Iterator[Box]:
    """Go from box to box.

    Args:
        file (BinaryIO): An MP4 file.
        at (int): Where the first box begins.
        end (int): Where there is no more.

    Yields:
        Box: One after the other; the last one may end behind ``end``.
    """
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        length, start = int.from_bytes(head[:4], 'big'), at + 8
        if length == 0:  # until the end
            length = end - at
        elif length == 1:  # the length follows in 64 bits
            length, start = int.from_bytes(head[8:], 'big'), at + 16
        at += max(length, 8)
        yield Box(head[4:8], start, at)


def check_header(file: BinaryIO, size: int) -> None:
    """Reject an MP4 whose small header asks for a large memory.

    An edit list may show every frame as often as it likes.

    Args:
        file (BinaryIO): The file; others than MP4 pass.
        size (int): How many bytes it has.

    Raises:
        UnreadableError: If it does.
    """
    edits = frames = most = 0  # of a track
    for count, box in enumerate(_walk(file, 0, size)):
        if count > MOST_BOXES:
            raise UnreadableError(f'it has more than {MOST_BOXES} boxes.')
        if box.kind == b'trak':
            edits = frames = 0
        elif box.kind == b'elst':
            edits = _number(file, box.start + 4)
        elif box.kind == b'stsz':
            frames = _number(file, box.start + 8)
            # Samples of one size are those of sound, and may be tiny.
            most = size * (16 if _number(file, box.start + 4) else 1)
        elif box.kind == b'cmov':
            _check_inflated(file, box)
        if edits > 1 and edits * frames > most:
            raise UnreadableError(
                f'its header shows {frames} frames {edits} times, more than '
                f'{size} bytes can hold.'
            )


def _walk(file: BinaryIO, at: int, end: int, depth: int = 0) -> Iterator[Box]:
    """Go through all boxes of the header."""
    for box in boxes(file, at, end):
        yield box
        inside = (box.start, min(box.stop, end))
        if box.kind in HIDING:
            first = next(boxes(file, *inside), None)
            nested = first is not None and first.kind == b'moov'
        else:
            nested = box.kind in NESTED
        if nested and depth < DEEPEST:
            yield from _walk(file, *inside, depth + 1)


def _number(file: BinaryIO, at: int) -> int:
    """Read a number of 32 bits."""
    file.seek(at)
    return int.from_bytes(file.read(4), 'big')


def _check_inflated(file: BinaryIO, box: Box) -> None:
    """Reject a header that is deflated beyond what is possible."""
    for part in boxes(file, box.start, box.stop):
        if part.kind == b'cmvd':
            inflated = _number(file, part.start)
            if inflated > MOST_INFLATED * (part.stop - part.start):
                raise UnreadableError(
                    f'its header of {part.stop - part.start} bytes becomes '
                    f'{inflated}.'
                )
