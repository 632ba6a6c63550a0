"""Check that all of a video file is there.

Decoders take what there is: a download that broke off would pass for a short
video, and other frames would be sampled.
"""

from typing import BinaryIO, Tuple

from mmvidadapt.utils.video import UnreadableError

from .mp4_header import boxes, check_header

# What an MP4 file consists of; anything else may stand behind its end.
BOXES = (b'ftyp', b'moov', b'mdat', b'moof', b'free', b'skip', b'wide')
RIFF, EBML, SEGMENT = b'RIFF', b'\x1a\x45\xdf\xa3', b'\x18\x53\x80\x67'


def check_size(file: BinaryIO) -> None:
    """Raise where a file ends before its header says.

    Args:
        file (BinaryIO): MP4, QuickTime, AVI, Matroska or WebM; others pass.

    Raises:
        UnreadableError: If it does, or if there is nothing in it.
    """
    size = file.seek(0, 2)
    if size == 0:
        raise UnreadableError('it is empty.')
    file.seek(0)
    head = file.read(64)
    if head[:4] == RIFF:
        promised = int.from_bytes(head[4:8], 'little') + 8
    elif head[:4] == EBML:
        promised = _segment_end(head)
    else:
        check_header(file, size)
        promised = _boxes_end(file, size)
    file.seek(0)
    if promised > size:
        raise UnreadableError(f'it ends after {size} of {promised} bytes.')


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Go from box to box of an MP4; return where the last one ends."""
    end = 0
    for box in boxes(file, 0, size):
        if box.kind not in BOXES:
            break
        end = box.stop
    return end


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
