"""Videos damaged in every way that a file can be, drawn at random."""

from typing import Callable, Dict

import cv2
import numpy as np

Damage = Callable[[bytes, np.random.Generator], bytes]


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    """End somewhere, as a broken download does."""
    return data[: int(len(data) * rng.uniform(0.02, 0.95))]


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip one bit in a thousand bytes."""
    damaged = np.frombuffer(data, np.uint8).copy()
    at = rng.integers(0, len(data), max(8, len(data) // 1000))
    damaged[at] ^= 1 << rng.integers(0, 8, len(at), dtype=np.uint8)
    return damaged.tobytes()


def zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    """Hold zeros from a quarter to half of the file, as a lost block does."""
    size = int(len(data) * rng.uniform(0.25, 0.5))
    start = int(rng.integers(0, len(data) - size))
    return data[:start] + bytes(size) + data[start + size :]


def another_kind(data: bytes, rng: np.random.Generator) -> bytes:
    """Be a picture under the name of a video."""
    image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    kind = ('.jpg', '.png', '.bmp', '.tiff', '.webp')[rng.integers(5)]
    return cv2.imencode(kind, image)[1].tobytes()


def empty(data: bytes, rng: np.random.Generator) -> bytes:
    """Hold nothing."""
    return b''


def text(data: bytes, rng: np.random.Generator) -> bytes:
    """Hold the page that a server sends in place of a file."""
    words = rng.choice(['<html>', 'not', 'found', '404', '\n', 'WEBVTT'], 200)
    return ' '.join(words).encode()


def huge_header(data: bytes, rng: np.random.Generator) -> bytes:
    """Promise more than any memory holds: boxes, counts or a frame's size."""
    boxes = [b'stsz', b'stts', b'stsc', b'moov', b'avcC']
    boxes = [b for b in boxes if b in data]
    if not boxes:  # no MP4: the sizes at the start of the file
        return data[:4] + b'\x7f\xff\xff\xf0' * 12 + data[52:]
    box = boxes[rng.integers(len(boxes))]
    at = data.index(box)
    huge = b'\x7f\xff\xff\xf0'
    if box in (b'stsz', b'stts', b'stsc'):
        count = at + (12 if box == b'stsz' else 8)
        return data[:count] + huge + data[count + 4 :]
    if box == b'avcC':  # garbage where the picture's size is said
        return data[: at + 10] + b'\xff' * 24 + data[at + 34 :]
    return data[: at - 4] + huge + data[at:]


KINDS = (truncated, flipped, zeroed, another_kind, empty, text, huge_header)
DAMAGES: Dict[str, Damage] = {kind.__name__: kind for kind in KINDS}
