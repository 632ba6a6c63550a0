"""Whether all of a video file is there.

Decoders take what there is: a download that broke off would pass for a short
video, and other frames would be sampled.
"""

from typing import BinaryIO, Tuple

# What an MP4 file consists of; anything else may stand behind its end.
BOXES = (b'ftyp', b'moov', b'mdat', b'moof', b'free', b'skip', b'wide')
RIFF, EBML, SEGMENT = b'RIFF', b'\x1a\x45\xdf\xa3', b'\x18\x53\x80\x67'


def check_size(file: BinaryIO) -> None:
    """Raise where a file ends before its header says.

    Args:
        file (BinaryIO): MP4, QuickTime, AVI, Matroska or WebM; others pass.

    Raises:
        ValueError: If it does, or if there is nothing in it.
    """
    size = file.seek(0, 2)
    if size == 0:
        raise ValueError('it is empty.')
    file.seek(0)
    head = file.read(64)
    if head[:4] == RIFF:
        promised = int.from_bytes(head[4:8], 'little') + 8
    elif head[:4] == EBML:
        promised = _segment_end(head)
    else:
        promised = _boxes_end(file, size)
    file.seek(0)
    if promised > size:
        raise ValueError(f'it ends after {size} of {promised} bytes.')


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Go from box to box of an MP4; return where the last one ends."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], 'big')
        if head[4:8] not in BOXES or length == 0:  # 0: until the end
            break
        if length == 1:  # the length follows in 64 bits
            length = int.from_bytes(head[8:], 'big')
        at += max(length, 8)
    return at


def _segment_end(head: bytes) -> int:
    """Return where the segment of a Matroska file ends, 0 if it is open."""
    size, at = _number(head, 4)
    at += size
    if head[at : at + 4] != SEGMENT:
        return 0
    size, at = _number(head, at + 4)
    return at + size if size else 0


def _number(data: bytes, at: int) -> Tuple[int, int]:
    """Read a number of EBML; return it, 0 if unknown, and what follows."""
    if at >= len(data) or not data[at]:
        return 0, at
    length = 9 - data[at].bit_length()
    mask = (1 << 7 * length) - 1
    number = int.from_bytes(data[at : at + length], 'big') & mask
    return (0 if number == mask else number), at + length
