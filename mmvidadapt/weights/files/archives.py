"""Reject zip bombs and ambiguous archives before anything is expanded."""

import struct
import zipfile
import zlib
from typing import IO, List, NamedTuple, Tuple

# What archives of weights may expand to: zeros pack well, weights do not.
FACTOR, SPARE = 8, 64 << 20
MOST_DIRECTORY = 4 << 20  # bytes: room for 50,000 entries
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LOCAL = 30  # bytes before the name of an entry
END, END64, PLACE64 = '<4s4H2LH', '<4sQ2H2L4Q', '<4sLQL'
SIGNS = {END: b'PK\5\6', END64: b'PK\6\6', PLACE64: b'PK\6\7'}


class Directory(NamedTuple):
    """Where the list of entries lies in an archive."""

    start: int
    size: int


def find_directory(file: IO[bytes], size: int) -> Directory:
    """Find the list of entries where every reader of archives finds it.

    Readers differ in what they make of bytes before, between and behind the
    parts of an archive, so that one of them may check what another does not
    read; no writer of weights leaves any.

    Args:
        file (IO[bytes]): The archive.
        size (int): Its bytes.

    Returns:
        Directory: The list.

    Raises:
        ValueError: If anything lies beside it, or it is very long.
    """
    place = size - struct.calcsize(END)
    end = _record(file, place, END)
    found = Directory(start=end[6], size=end[5])
    locator = place - struct.calcsize(PLACE64)
    try:
        place = _record(file, locator, PLACE64)[2]
        wide = _record(file, place, END64)
        if place + struct.calcsize(END64) != locator:
            raise ValueError('something lies behind its directory')
        found = Directory(start=wide[9], size=wide[8])
    except NoRecord:
        place = size - struct.calcsize(END)
    if end[7] or found.start + found.size != place:
        raise ValueError('something lies beside its directory')
    if found.size > MOST_DIRECTORY:
        raise ValueError(
            f'its directory has {found.size:,} bytes, more than '
            f'{MOST_DIRECTORY:,}'
        )
    return found


class NoRecord(ValueError):
    """There is no record of this kind at a place of an archive."""


def _record(file: IO[bytes], place: int, form: str) -> Tuple:
    """Read a record of an archive."""
    file.seek(max(place, 0))
    data = file.read(struct.calcsize(form))
    if place < 0 or data[:4] != SIGNS[form]:
        raise NoRecord('it has no directory at its end')
    return struct.unpack(form, data)


def check_entries(entries: List[zipfile.ZipInfo], size: int) -> None:
    """Refuse entries that expand to much more than their archive.

    Args:
        entries (List[zipfile.ZipInfo]): All of them.
        size (int): Bytes of the archive.

    Raises:
        ValueError: If they do, or are packed in a way that takes memory.
    """
    methods = {entry.compress_type for entry in entries} - {*METHODS}
    if methods:
        raise ValueError(f'refusing entries packed by method {min(methods)}')
    whole, most = sum(e.file_size for e in entries), FACTOR * size + SPARE
    if whole > most:
        raise ValueError(
            f'refusing an archive of {size:,} bytes that expands to '
            f'{whole:,}, more than {most:,}'
        )


def check_stored(entries: List[zipfile.ZipInfo]) -> None:
    """Refuse entries that are packed, as torch.save packs none.

    Args:
        entries (List[zipfile.ZipInfo]): All of them.

    Raises:
        ValueError: If one is, or two share bytes.
    """
    packed = [
        entry.filename
        for entry in entries
        if entry.compress_type != zipfile.ZIP_STORED
        or entry.file_size != entry.compress_size
    ]
    if packed:
        raise ValueError(f'refusing packed entries, such as {packed[0]!r}')
    ends = sorted((e.header_offset, e.compress_size) for e in entries)
    for (start, length), (following, _) in zip(ends, ends[1:]):
        if start + length > following:
            raise ValueError('refusing entries that share bytes')


def stored_bytes(data: memoryview, entry: zipfile.ZipInfo) -> memoryview:
    """Find the bytes of an entry that is not packed, where they lie.

    Args:
        data (memoryview): The archive.
        entry (zipfile.ZipInfo): The entry.

    Returns:
        memoryview: Its bytes.

    Raises:
        ValueError: If they are not there, or their checksum is wrong.
    """
    start = entry.header_offset + LOCAL
    head = data[entry.header_offset : start]
    if bytes(head[:4]) == b'PK\3\4':
        start += sum(struct.unpack('<2H', head[-4:]))  # its name, and more
        content = data[start : start + entry.file_size]
        if zlib.crc32(content) == entry.CRC:
            return content
    raise ValueError(f'the checksum of {entry.filename} is wrong')
