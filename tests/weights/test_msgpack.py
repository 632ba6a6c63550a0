"""The reader of flax's files against bytes written by hand."""

import random
import struct

import pytest
import torch

from mmvidadapt.weights import load_weights_file
from mmvidadapt.weights.files.msgpack import looks_like_msgpack, read_msgpack


def pack(value):
    """Write what msgpack would, in its long forms and its short ones."""
    if value is None or isinstance(value, bool):
        return {None: b'\xc0', False: b'\xc2', True: b'\xc3'}[value]
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        if -32 <= value < 0:
            return struct.pack('b', value)
        return b'\xd3' + struct.pack('>q', value)
    if isinstance(value, float):
        return b'\xcb' + struct.pack('>d', value)
    if isinstance(value, str):
        data = value.encode()
        short = bytes([0xA0 + len(data)]) if len(data) < 32 else None
        return (short or b'\xd9' + bytes([len(data)])) + data
    if isinstance(value, bytes):
        return b'\xc5' + struct.pack('>H', len(value)) + value
    if isinstance(value, (list, tuple)):
        head = bytes([0x90 + len(value)])
        if len(value) > 15:
            head = b'\xdc' + struct.pack('>H', len(value))
        return head + b''.join(map(pack, value))
    items = b''.join(pack(k) + pack(v) for k, v in value.items())
    if len(value) < 16:
        return bytes([0x80 + len(value)]) + items
    return b'\xde' + struct.pack('>H', len(value)) + items


class Ext(dict):
    """An extension: its type and its data."""


def ext(kind, data):
    return b'\xc8' + struct.pack('>Hb', len(data), kind) + data


def array(shape, dtype, data, kind=1):
    return ext(kind, pack([list(shape), dtype, data]))


def tree(entries):
    """A map of names to bytes that are written already."""
    items = b''.join(pack(k) + v for k, v in entries.items())
    return bytes([0x80 + len(entries)]) + items


def read(tmp_path, data):
    (tmp_path / 'checkpoint').write_bytes(data)
    return read_msgpack(str(tmp_path / 'checkpoint'))


WIDTHS = {
    0xCA: ('>f', 0.5),
    0xCC: ('>B', 200),
    0xCD: ('>H', 60_000),
    0xCE: ('>I', 2**31),
    0xCF: ('>Q', 2**63),
    0xD0: ('>b', -100),
    0xD1: ('>h', -30_000),
    0xD2: ('>i', -(2**30)),
}
PLAIN = [
    *(0, 127, 128, -1, -32, -33, 2**40, -(2**40), None, True, False, 1.5),
    *('', 'short', 'x' * 200, [], [1, [2]], list(range(40))),
    *({'nested': {'deeper': [None]}}, {f'{i}': i for i in range(20)}),
]


@pytest.mark.parametrize(
    'data, value',
    [
        *((pack(value), value) for value in PLAIN),
        *(
            (bytes([first]) + struct.pack(form, value), value)
            for first, (form, value) in WIDTHS.items()
        ),
    ],
)
def test_plain_values(tmp_path, data, value):
    found = read(tmp_path, tree({'key': data}))['key']
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    'dtype',
    ['float32', 'float16', 'float64', 'bfloat16', 'int32', 'int64', 'bool'],
)
def test_arrays(tmp_path, dtype):
    wanted = torch.tensor([[0, 1, 1], [1, 0, 0]]).to(getattr(torch, dtype))
    raw = bytes(wanted.flatten().view(torch.uint8).tolist())
    content = read(tmp_path, tree({'a': array((2, 3), dtype, raw)}))
    found = content['a'].tensor()
    assert found.dtype == wanted.dtype and torch.equal(found, wanted)


def chunked(sizes, chunks):
    return tree(
        {
            '__msgpack_chunked_array__': pack(True),
            'shape': pack({str(i): n for i, n in enumerate(sizes)}),
            'chunks': tree({str(i): c for i, c in enumerate(chunks)}),
        }
    )


def floats(*values):
    return struct.pack(f'<{len(values)}f', *values)


def test_chunks_are_joined_in_order(tmp_path):
    pieces = [array((1,), 'float32', floats(i)) for i in range(12)]
    content = read(tmp_path, tree({'a': chunked((3, 4), pieces)}))
    wanted = torch.arange(12.0).view(3, 4)
    assert torch.equal(content['a'].tensor(), wanted)


def test_only_the_parameters_of_a_training_state_are_read(tmp_path):
    kernel = array((1, 2), 'float32', floats(1, 2))
    other = array((1,), 'float32', floats(9))
    inner = tree({'target': tree({'Dense': tree({'kernel': kernel})})})
    state = tree(
        {
            'optimizer': inner[:1].replace(b'\x81', b'\x82')
            + inner[1:]
            + pack('state')
            + tree({'kernel': other}),
            'step': array((), 'int32', b'\0\0\0\0', kind=3),
        }
    )
    (tmp_path / 'checkpoint').write_bytes(state)
    read = load_weights_file(tmp_path / 'checkpoint')
    assert list(read) == ['Dense/kernel']
    assert torch.equal(read['Dense/kernel'], torch.tensor([[1.0, 2.0]]))


@pytest.mark.parametrize(
    'value,message',
    [
        (ext(2, b''), 'extension of the unknown type 2'),
        (ext(1, pack([1])), 'not \\(shape, type, bytes\\)'),
        (array((2,), 'float32', b'1234'), r'array \(2,\) of float32 with 4'),
        (array((-1,), 'float32', b''), r'array \(-1,\)'),
        (array((1,), 'object', b'12345678'), "unknown type 'object'"),
        (array((2**62, 4), 'float32', b''), 'with 0 bytes'),
        (b'\xdd\xff\xff\xff\xff', 'announces 4294967295 items'),
        (b'\xc6\xff\xff\xff\xff', '4294967295 bytes from'),
        (b'\xc1', 'announces nothing known'),
        (b'\x91' * 100 + b'\xc0', 'deeper than 64'),
        (b'\x81\x90\xc0', 'key of type list'),
        (pack('x') + b'\xc0', '1 bytes follow'),
        (b'\xa2\xff\xff', 'decode'),
        (chunked((1,), []), 'lacks a part'),
        (chunked((1,), [pack(3)]), 'lacks a part'),
        (chunked(('1',), [array((1,), 'float32', floats(1))]), 'lacks a part'),
    ],
)
def test_damage_is_named(tmp_path, value, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, tree({'key': value}))


def test_content_that_is_no_map_is_named(tmp_path):
    with pytest.raises(ValueError, match='its content is a list'):
        read(tmp_path, pack([1, 2]))


def test_flipped_bytes_never_do_more_than_raise(tmp_path):
    rng = random.Random(0)
    pieces = [array((2,), 'float32', floats(1, 2)) for _ in range(2)]
    whole = tree({'a': chunked((4,), pieces), 'b': pack([1, 'x', None])})
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            read(tmp_path, bytes(data))
        except ValueError:
            continue


def test_the_first_bytes_tell():
    assert looks_like_msgpack(tree({'a': pack(1)}))
    assert looks_like_msgpack(b'\xde\x00\x10' + pack('name'))
    for other in (b'', b'\x80', b'\x80\x02', b'PK', b'\x81', b'\x81\x01'):
        assert not looks_like_msgpack(other)
