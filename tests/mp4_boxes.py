"""Put boxes into the header of an MP4, byte by byte."""

import struct
from pathlib import Path

# What a box lies in, from the outside to the inside.
TRACK = (b'moov', b'trak')
TABLE = (*TRACK, b'mdia', b'minf', b'stbl')
PARENTS = dict(elst=(*TRACK, b'edts'), stsz=TABLE, stsc=TABLE, stts=TABLE)


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box of a kind."""
    body = b''.join(content)
    return struct.pack('>I4s', len(body) + 8, kind) + body


def full_box(kind: bytes, *numbers: int) -> bytes:
    """Return a box of numbers of 32 bits, behind version and flags."""
    return box(kind, struct.pack(f'>{1 + len(numbers)}I', 0, *numbers))


def replace_box(data: bytes, kind: str, new: bytes) -> bytes:
    """Put a box in the place of the first one of a kind."""
    at = data.index(kind.encode()) - 4
    size = int.from_bytes(data[at : at + 4], 'big')
    grown = bytearray(data[:at] + new + data[at + size :])
    for parent in PARENTS[kind]:
        at = data.index(parent) - 4
        whole = int.from_bytes(data[at : at + 4], 'big') + len(new) - size
        grown[at : at + 4] = whole.to_bytes(4, 'big')
    return bytes(grown)


def edit_list(data: bytes, *parts: tuple) -> bytes:
    """Show parts of a video: how long, and from which time on."""
    numbers = [n for length, start in parts for n in (length, start, 1 << 16)]
    return replace_box(data, 'elst', full_box(b'elst', len(parts), *numbers))


def turn(path: Path, matrix: tuple, target: Path) -> Path:
    """Ask, in the header of an MP4, to be shown turned or mirrored."""
    data = bytearray(path.read_bytes())
    at = data.index(b'tkhd') + 44
    a, b, c, d = (n << 16 for n in matrix)
    numbers = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data[at : at + 36] = b''.join(
        (n % 2**32).to_bytes(4, 'big') for n in numbers
    )
    target.write_bytes(data)
    return target
