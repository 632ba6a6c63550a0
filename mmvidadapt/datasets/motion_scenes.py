"""Scenes of the motion clips: a textured thing moves over a dim background.

A scene is filmed once and shown twice, forwards and backwards: the two
motions of a pair (``PAIRS``) are exact time reversals of each other, so that
no single frame and no statistic blind to order tells them apart.
"""
from typing import List, NamedTuple, Tuple

import cv2
import numpy as np

APPEARANCES = ('ball', 'ring', 'box', 'wedge', 'cross', 'star')
PAIRS = (('left', 'right'), ('up', 'down'), ('clockwise', 'anticlockwise'),
         ('approach', 'recede'), ('open', 'close'))
MOTIONS = tuple(motion for pair in PAIRS for motion in pair)
HUES = (15, 45, 75, 110, 140, 170)  # of each appearance; OpenCV's 0 to 179
SPRITE = 64  # side of a sprite in pixels


class Part(NamedTuple):
    """Where one part of the thing is: all lengths relative to the frame."""
    x: float
    y: float
    size: float
    mask: np.ndarray


def partner(motion: int) -> int:
    """Return the index of the motion that is the time reversal of another."""
    return motion ^ 1


def film_scene(appearance: int, pair: int, rng: np.random.Generator,
               num_frames: int, side: int) -> np.ndarray:
    """Film one scene in the order of time of the first motion of its pair.

    Args:
        appearance (int): Index into ``APPEARANCES``.
        pair (int): Index into ``PAIRS``.
        rng (np.random.Generator): Decides texture, path, speed and place.
        num_frames (int): Number of frames T.
        side (int): Height and width of the frames in pixels.

    Returns:
        np.ndarray: BGR frames of type uint8, (T, H, W, 3).
    """
    background = _background(rng, side)
    colour, mask = _sprite(appearance, rng)
    path = PATHS[pair](rng, _phases(rng, num_frames), mask)
    return np.stack([_draw(background, colour, parts) for parts in path])


def _phases(rng: np.random.Generator, num_frames: int) -> np.ndarray:
    """Return times from 0 to 1 that speed up and slow down at random."""
    t = np.linspace(0, 1, num_frames)
    bend = rng.uniform(-0.5, 0.5) / (2 * np.pi)
    start = rng.uniform(0, 2 * np.pi)
    return t + bend * (np.sin(2 * np.pi * t + start) - np.sin(start))


def _noise(rng: np.random.Generator, side: int, cells: int) -> np.ndarray:
    """Return smooth noise of about ``cells`` blobs a side, from 0 to 1."""
    coarse = rng.random((cells + 2, cells + 2), np.float32)
    noise = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(noise, 0, 1)


def _background(rng: np.random.Generator, side: int) -> np.ndarray:
    """Return a dim, greyish texture of blobs and bands, (H, W, 3)."""
    y, x = np.mgrid[:side, :side] / side
    angle, waves = rng.uniform(0, np.pi), rng.uniform(2, 7)
    bands = np.sin(2 * np.pi * waves *
                   (x * np.cos(angle) + y * np.sin(angle)))
    value = (0.5 * _noise(rng, side, 3) + 0.3 * _noise(rng, side, 12) +
             0.1 * (1 + bands))
    tint = rng.uniform(0.8, 1.2, 3)
    return np.clip(20 + 75 * value[..., None] * tint, 0, 255)


def _shape(appearance: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return how far points lie inside a shape of radius 1 (0: its edge)."""
    r, phi = np.hypot(x, y), np.arctan2(y, x)
    return (
        0.85 - r,
        0.28 - np.abs(r - 0.65),
        0.72 - np.maximum(np.abs(x), np.abs(y)),
        np.minimum(0.5 - y, 0.5 * y - 0.87 * np.abs(x) + 0.42),
        np.minimum(0.26 - np.minimum(np.abs(x), np.abs(y)),
                   0.9 - np.maximum(np.abs(x), np.abs(y))),
        0.62 + 0.32 * np.cos(5 * phi) - r,
    )[appearance]


def _sprite(appearance: int,
            rng: np.random.Generator) -> Tuple[np.ndarray, np.ndarray]:
    """Return the texture (S, S, 3) and the mask (S, S) of a thing."""
    y, x = np.mgrid[:SPRITE, :SPRITE] / (SPRITE / 2) - 1
    angle = rng.uniform(-0.4, 0.4)
    x, y = (x * np.cos(angle) - y * np.sin(angle),
            x * np.sin(angle) + y * np.cos(angle))
    mask = np.clip(_shape(appearance, x, y) * SPRITE / 4 + 0.5, 0, 1)
    waves = rng.uniform(1.5, 2.5) * np.pi
    pattern = (np.sin(waves * x), np.sin(waves * y),
               np.sin(waves * x) * np.sin(waves * y))[appearance % 3]
    hsv = np.empty((SPRITE, SPRITE, 3), np.uint8)
    hsv[..., 0] = (HUES[appearance] + rng.integers(-8, 9)) % 180
    hsv[..., 1] = 170 + 50 * (pattern > 0)
    hsv[..., 2] = 215 + 35 * np.sign(pattern)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.float32), mask


def _draw(background: np.ndarray, colour: np.ndarray,
          parts: List[Part]) -> np.ndarray:
    """Draw the parts of a thing over the background."""
    side, frame = len(background), background
    for part in parts:
        scale = part.size * side / SPRITE
        place = np.float32([[scale, 0, (part.x - part.size / 2) * side],
                            [0, scale, (part.y - part.size / 2) * side]])
        alpha = cv2.warpAffine(part.mask, place, (side, side))[..., None]
        paint = cv2.warpAffine(
            colour, place, (side, side), borderMode=cv2.BORDER_REPLICATE)
        frame = frame + alpha * (paint - frame)
    return frame.round().clip(0, 255).astype(np.uint8)


def _travel(rng: np.random.Generator, t: np.ndarray,
            mask: np.ndarray) -> List[List[Part]]:
    """Move left; the height changes a little on the way."""
    size, reach = rng.uniform(0.3, 0.4), rng.uniform(0.2, 0.3)
    centre = rng.uniform(-0.5, 0.5) * (0.66 - 2 * reach) + 0.5
    y = rng.uniform(0.25, 0.75) + rng.uniform(-0.06, 0.06) * t
    x = centre + reach * (1 - 2 * t)
    return [[Part(x, y, size, mask)] for x, y in zip(x, y)]


def _climb(rng: np.random.Generator, t: np.ndarray,
           mask: np.ndarray) -> List[List[Part]]:
    """Move up; the same as to the left with the axes exchanged."""
    return [[part._replace(x=part.y, y=part.x)]
            for part, in _travel(rng, t, mask)]


def _orbit(rng: np.random.Generator, t: np.ndarray,
           mask: np.ndarray) -> List[List[Part]]:
    """Move clockwise, as seen on the screen, on most of a circle."""
    size, radius = rng.uniform(0.28, 0.36), rng.uniform(0.2, 0.28)
    (x, y), sweep = rng.uniform(0.46, 0.54, 2), rng.uniform(1.4, 2.0) * np.pi
    phi = rng.uniform(0, 2 * np.pi) + sweep * t
    return [[Part(x + radius * np.cos(p), y + radius * np.sin(p), size, mask)]
            for p in phi]


def _approach(rng: np.random.Generator, t: np.ndarray,
              mask: np.ndarray) -> List[List[Part]]:
    """Grow from small to large, drifting a little."""
    small, large = rng.uniform(0.15, 0.22), rng.uniform(0.55, 0.75)
    (x, y), (dx, dy) = rng.uniform(0.42, 0.58, 2), rng.uniform(-0.1, 0.1, 2)
    return [[Part(x + dx * t, y + dy * t, small + (large - small) * t, mask)]
            for t in t]


def _open(rng: np.random.Generator, t: np.ndarray,
          mask: np.ndarray) -> List[List[Part]]:
    """Break along a line; the two halves move apart."""
    size, reach = rng.uniform(0.38, 0.48), rng.uniform(0.17, 0.24)
    (x, y), angle = rng.uniform(0.44, 0.56, 2), rng.uniform(0, np.pi)
    dx, dy = np.cos(angle), np.sin(angle)
    v, u = np.mgrid[:SPRITE, :SPRITE] - (SPRITE - 1) / 2
    half = np.clip(u * dx + v * dy + 0.5, 0, 1)
    return [[
        Part(x + s * t * dx, y + s * t * dy, size, mask * side)
        for s, side in ((reach, half), (-reach, 1 - half))
    ] for t in t]


PATHS = (_travel, _climb, _orbit, _approach, _open)  # one for each of PAIRS
