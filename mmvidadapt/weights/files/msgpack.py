"""Read the msgpack files that flax writes, without flax or JAX.

A reader of what flax's checkpoints hold: maps, lists, numbers, strings, bytes
and two extension types, arrays and NumPy scalars. Nothing is executed, every
length is checked against the bytes that are there, and arrays are views of
the file until somebody copies them; the package msgpack would copy all of
them, those of an optimizer that nobody reads too.
"""

import itertools
import math
import mmap
import struct
from typing import Any, Dict, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

ARRAY, SCALAR = 1, 3  # flax's extension types
CHUNKED = '__msgpack_chunked_array__'
DEEPEST = 64
MOST_VALUES = 300_000  # one takes two microseconds; ViT-L has 2,000
MOST_DIMENSIONS = 64  # torch's own limit
WHOLE = [f'{sign}int{bits}' for sign in ('', 'u') for bits in (8, 16, 32, 64)]
DTYPES = {
    name: np.dtype(name)
    for name in ('bool', *WHOLE, 'float16', 'float32', 'float64')
}
BFLOAT16 = 'bfloat16'  # which NumPy does not know

NUMBERS = {
    0xCA: '>f', 0xCB: '>d', 0xCC: '>B', 0xCD: '>H', 0xCE: '>I', 0xCF: '>Q',
    0xD0: '>b', 0xD1: '>h', 0xD2: '>i', 0xD3: '>q',
}  # fmt: skip
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
# First byte: kind of the content, and the format of its length.
SIZED = {
    0xC4: ('bytes', '>B'), 0xC5: ('bytes', '>H'), 0xC6: ('bytes', '>I'),
    0xC7: ('ext', '>B'), 0xC8: ('ext', '>H'), 0xC9: ('ext', '>I'),
    0xD9: ('str', '>B'), 0xDA: ('str', '>H'), 0xDB: ('str', '>I'),
    0xDC: ('list', '>H'), 0xDD: ('list', '>I'),
    0xDE: ('map', '>H'), 0xDF: ('map', '>I'),
}  # fmt: skip
FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


class Array:
    """An array that lies in a file, copied when it is asked for.

    Args:
        shape (Tuple[int, ...]): Its shape.
        dtype (str): Name of its type.
        data (memoryview): Its bytes.
    """

    def __init__(
        self, shape: Tuple[int, ...], dtype: str, data: memoryview
    ) -> None:
        if dtype not in DTYPES and dtype != BFLOAT16:
            raise ValueError(f'an array of the unknown type {dtype!r}')
        if len(shape) > MOST_DIMENSIONS:
            raise ValueError(f'an array of {len(shape):,} dimensions')
        self.shape, self.dtype, self.data = shape, dtype, data
        size = 2 if dtype == BFLOAT16 else DTYPES[dtype].itemsize
        if any(n < 0 for n in shape) or math.prod(shape) * size != len(data):
            raise ValueError(
                f'an array {shape} of {dtype} with {len(data)} bytes'
            )

    def tensor(self) -> Tensor:
        """Copy it into a tensor."""
        bits = DTYPES.get(self.dtype, np.dtype('int16')).newbyteorder('<')
        array = np.frombuffer(self.data, bits).astype(bits.newbyteorder('='))
        tensor = torch.from_numpy(array).view(self.shape)
        if self.dtype == BFLOAT16:
            tensor = tensor.view(torch.bfloat16)
        return tensor


def looks_like_msgpack(head: bytes) -> bool:
    """Check whether a file starts as a map whose first key is text."""
    sizes = {0xDE: 3, 0xDF: 5}  # bytes before the key; a small map has one
    small = bool(head) and 0x81 <= head[0] <= 0x8F
    start = 1 if small else sizes.get(head[0] if head else 0, len(head))
    key = head[start : start + 1]
    return bool(key) and (0xA1 <= key[0] <= 0xBF or key == b'\xd9')


def read_msgpack(path: str) -> Dict[str, Any]:
    """Read a file; arrays are :class:`Array`.

    Args:
        path (str): A file that flax's ``to_bytes`` wrote.

    Returns:
        Dict[str, Any]: Nested maps.
    """
    with open(path, 'rb') as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    reader = _Reader(memoryview(data))
    content = reader.value()
    if reader.position != len(data):
        raise ValueError(
            f'{len(data) - reader.position} bytes follow the content'
        )
    if not isinstance(content, dict):
        raise ValueError(f'its content is a {type(content).__name__}')
    return content


class _Reader:
    """Position in a stretch of bytes.

    Args:
        data (memoryview): The bytes.
        outer (_Reader, optional): The one that came upon them.
            Defaults to None.
    """

    def __init__(
        self, data: memoryview, outer: Optional['_Reader'] = None
    ) -> None:
        self.data, self.position = data, 0
        self.depth = outer.depth if outer else 0
        self.values = outer.values if outer else itertools.count(1)

    def take(self, size: int) -> memoryview:
        """Take the next bytes."""
        end = self.position + size
        if end > len(self.data):
            raise ValueError(
                f'it ends at byte {len(self.data)}, where {size} bytes from '
                f'{self.position} on are announced'
            )
        taken, self.position = self.data[self.position : end], end
        return taken

    def number(self, form: str) -> Any:
        """Read a number."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self) -> Any:
        """Read whatever comes next."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f'it is nested deeper than {DEEPEST} levels')
        if next(self.values) > MOST_VALUES:
            raise ValueError(f'it holds more than {MOST_VALUES:,} values')
        value = self._value(self.number('>B'))
        self.depth -= 1
        return value

    def _value(self, first: int) -> Any:
        """Read what a first byte announces."""
        if first in CONSTANTS:
            return CONSTANTS[first]
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first in NUMBERS:
            return self.number(NUMBERS[first])
        if first in FIXED_EXT:
            return self.ext(FIXED_EXT[first])
        if first in SIZED:
            kind, form = SIZED[first]
            return getattr(self, kind)(self.number(form))
        for start, end, kind in (
            (0x80, 0x8F, self.map),
            (0x90, 0x9F, self.list),
            (0xA0, 0xBF, self.str),
        ):
            if start <= first <= end:
                return kind(first - start)
        raise ValueError(f'byte {self.position - 1} announces nothing known')

    def bytes(self, size: int) -> memoryview:
        """Read bytes."""
        return self.take(size)

    def str(self, size: int) -> str:
        """Read text."""
        return bytes(self.take(size)).decode()

    def list(self, size: int) -> list:
        """Read a list, which has at least a byte for every item."""
        self._announced(size)
        return [self.value() for _ in range(size)]

    def map(self, size: int) -> Any:
        """Read a map, or the array that its chunks are."""
        self._announced(2 * size)
        content = {}
        for _ in range(size):
            key = self.value()
            if not isinstance(key, (str, int)):
                raise ValueError(f'a key of type {type(key).__name__}')
            content[key] = self.value()
        return _join(content) if CHUNKED in content else content

    def ext(self, size: int) -> Any:
        """Read an array or a scalar: its shape, its type, its bytes."""
        kind = self.number('>b')
        data = self.take(size)
        if kind not in (ARRAY, SCALAR):
            raise ValueError(f'an extension of the unknown type {kind}')
        return _array(_Reader(data, self).value())

    def _announced(self, size: int) -> None:
        """Do not make room for more items than there are bytes."""
        if size > len(self.data) - self.position:
            raise ValueError(f'it announces {size} items, more than its bytes')


def _array(parts: Any) -> Array:
    """Check the three parts of an array."""
    if not (
        isinstance(parts, list)
        and [type(part) for part in parts] == [list, str, memoryview]
        and all(type(size) is int for size in parts[0])
    ):
        raise ValueError('an array that is not (shape, type, bytes)')
    return Array(tuple(parts[0]), *parts[1:])


def _join(content: Dict[str, Any]) -> Array:
    """Put the chunks of a large array together."""
    shape, chunks = content.get('shape'), content.get('chunks')
    for part, kind in ((shape, int), (chunks, Array)):
        whole = isinstance(part, dict) and part
        if not whole or not all(
            isinstance(part.get(str(i)), kind) for i in range(len(part))
        ):
            raise ValueError('a chunked array that lacks a part')
    ordered = [chunks[str(i)] for i in range(len(chunks))]
    data = memoryview(b''.join(chunk.data for chunk in ordered))
    sizes = tuple(shape[str(i)] for i in range(len(shape)))
    return Array(sizes, ordered[0].dtype, data)
