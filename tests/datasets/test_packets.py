"""What the index of packets tells: times, and whether a video is whole."""

from array import array
from contextlib import nullcontext

import pytest

from mmvidadapt.datasets.readers.packets import NONE, Packets
from mmvidadapt.datasets.readers.pyav import PyAVReader
from mmvidadapt.utils.video import UnreadableError
from tests.films import encode, film

FRAMES = film(40)


@pytest.mark.parametrize(
    'kind,pts,dts,has_b_frames,told',
    [
        ('mov', (0, 2, 1), (0, 1, 2), True, True),
        ('mov', (0, 1, 1), (0, 1, 2), True, False),  # which of the two?
        ('mov', (0, NONE, 1), (0, 1, 2), True, False),
        ('avi', (0, 1, 2), (0, 1, 2), False, True),
        ('avi', (0, 1, 2), (0, 1, 2), True, False),  # of decoding alone
        ('avi', (0, 2, 1), (0, 1, 2), False, False),
    ],
)
def test_times_are_trusted_where_they_are_those_of_showing(
    kind, pts, dts, has_b_frames, told
):
    packets = Packets.__new__(Packets)
    packets.kind, packets.size = kind, array('q', (9, 9, 9))
    packets.pts, packets.dts = array('q', pts), array('q', dts)
    assert packets.tell_times(has_b_frames) == told


def promised(data, count):
    """Promise so many frames in the two headers of an AVI file."""
    for name, further in ((b'avih', 16), (b'strh', 32)):
        at = data.index(name) + 8 + further
        assert data[at : at + 4] == (40).to_bytes(4, 'little')
        data[at : at + 4] = count.to_bytes(4, 'little')
    return data


def lost(data, count):
    """Leave frames of an MP4 file without a byte, the last ones."""
    at = data.index(b'stsz') + 16
    data[at + 4 * (40 - count) : at + 4 * 40] = bytes(4 * count)
    return data


def void(data, percent):
    """Put what is no picture behind a Matroska file, a share of the whole."""
    size = len(data) * percent // (100 - percent)
    return data + b'\xec' + (size | 1 << 56).to_bytes(8, 'big') + bytes(size)


@pytest.mark.parametrize(
    'name,change,number,message',
    [
        ('a.avi', promised, 44, None),  # FFmpeg counts what was dropped
        ('a.avi', promised, 45, 'ends after 40 of 45 frames'),
        ('a.mp4', lost, 0, None),
        ('a.mp4', lost, 1, 'ends after 39 of 40 frames'),
        ('a.mkv', void, 15, None),
        ('a.mkv', void, 25, 'nothing is found behind byte'),
    ],
)
def test_how_much_may_be_missing(name, change, number, message, tmp_path):
    codec = 'mpeg4' if name == 'a.avi' else 'libx264'
    path = encode(tmp_path / name, FRAMES, codec=codec, g='10', bf='0')
    path.write_bytes(change(bytearray(path.read_bytes()), number))
    refused = pytest.raises(UnreadableError, match=message)
    with refused if message else nullcontext():
        assert len(PyAVReader(str(path))) == 40
