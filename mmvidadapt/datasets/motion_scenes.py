"""Scenes of the motion clips: a patterned token moves over a dim background.

A scene is filmed once and shown twice, forwards and backwards: the two
motions of a pair (``PAIRS``) are exact time reversals of each other, so that
no single frame and no statistic blind to order tells them apart. Which two
quarters of the token are warm is its appearance: one frame decides it, though
not by its colours, which are the same for all.
"""

from typing import List, NamedTuple, Tuple

import cv2
import numpy as np

# Name and warm quarters: top left, top right, bottom left, bottom right.
QUARTERS = {
    'top': (1, 1, 0, 0),
    'bottom': (0, 0, 1, 1),
    'left side': (1, 0, 1, 0),
    'right side': (0, 1, 0, 1),
    'falling diagonal': (1, 0, 0, 1),
    'rising diagonal': (0, 1, 1, 0),
}
APPEARANCES = tuple(f'warm {name}' for name in QUARTERS)
PAIRS = (
    ('left', 'right'),
    ('up', 'down'),
    ('clockwise', 'anticlockwise'),
    ('approach', 'recede'),
    ('open', 'close'),
)
MOTIONS = tuple(motion for pair in PAIRS for motion in pair)
TOKEN = 64  # side of the drawing of a token in pixels
WARM, COOL = 12, 110  # hues, OpenCV's 0 to 179


class Part(NamedTuple):
    """Place of a part of the token; lengths are relative to the frame."""

    x: float
    y: float
    size: float
    mask: np.ndarray


def partner(motion: int) -> int:
    """Return the index of the motion that is the time reversal of another."""
    return motion ^ 1


def film_scene(
    appearance: int,
    pair: int,
    rng: np.random.Generator,
    num_frames: int = 16,
    side: int = 112,
) -> np.ndarray:
    """Film one scene in the order of time of the first motion of its pair.

    Args:
        appearance (int): Index into ``APPEARANCES``.
        pair (int): Index into ``PAIRS``.
        rng (np.random.Generator): Decides textures, path, speed and place.
        num_frames (int): Number of frames T. Defaults to 16.
        side (int): Height and width of the frames in pixels.
            Defaults to 112.

    Returns:
        np.ndarray: RGB frames of type uint8, ``(T, H, W, 3)``.
    """
    background = _background(rng, side)
    paint, mask = _token(rng, appearance)
    path = PATHS[pair](rng, _times(rng, num_frames), mask)
    return np.stack([_draw(background, paint, parts) for parts in path])


def _times(rng: np.random.Generator, num_frames: int) -> np.ndarray:
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
    along = x * np.cos(angle) + y * np.sin(angle)
    value = 0.5 * _noise(rng, side, 3) + 0.3 * _noise(rng, side, 12)
    value = value + 0.1 * (1 + np.sin(2 * np.pi * waves * along))
    tint = rng.uniform(0.8, 1.2, 3)
    return np.clip(20 + 75 * value[..., None] * tint, 0, 255)


def _token(
    rng: np.random.Generator, appearance: int
) -> Tuple[np.ndarray, np.ndarray]:
    """Return the colours (S, S, 3) and the mask (S, S) of a token."""
    y, x = np.mgrid[:TOKEN, :TOKEN] / (TOKEN / 2) - 1
    turn = rng.uniform(-0.2, 0.2)
    x, y = (
        x * np.cos(turn) - y * np.sin(turn),
        x * np.sin(turn) + y * np.cos(turn),
    )
    quarters = np.array(list(QUARTERS.values())[appearance])
    warm = quarters[2 * (y > 0) + (x > 0)]  # (S, S)
    hues = rng.integers(-10, 11, 2) + (COOL, WARM)
    hsv = np.empty((TOKEN, TOKEN, 3), np.uint8)
    hsv[..., 0] = (hues % 180)[warm]
    hsv[..., 1] = 210
    hsv[..., 2] = 215 + 40 * _noise(rng, TOKEN, 6)
    mask = np.clip((0.9 - np.hypot(x, y)) * TOKEN / 4 + 0.5, 0, 1)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32), mask


def _draw(
    background: np.ndarray, paint: np.ndarray, parts: List[Part]
) -> np.ndarray:
    """Draw the parts of a token over the background."""
    side, frame = len(background), background
    for part in parts:
        scale = part.size * side / TOKEN
        left, top = (
            (centre - part.size / 2) * side for centre in (part.x, part.y)
        )
        place = np.float32([[scale, 0, left], [0, scale, top]])
        alpha = cv2.warpAffine(part.mask, place, (side, side))[..., None]
        layer = cv2.warpAffine(
            paint, place, (side, side), borderMode=cv2.BORDER_REPLICATE
        )
        frame = frame + alpha * (layer - frame)
    return frame.round().clip(0, 255).astype(np.uint8)


def _travel(
    rng: np.random.Generator, t: np.ndarray, mask: np.ndarray
) -> List[List[Part]]:
    """Move left; the height changes a little on the way."""
    size, reach = rng.uniform(0.3, 0.4), rng.uniform(0.2, 0.3)
    centre = 0.5 + rng.uniform(-0.5, 0.5) * (0.66 - 2 * reach)
    x = centre + reach * (1 - 2 * t)
    y = rng.uniform(0.25, 0.75) + rng.uniform(-0.06, 0.06) * t
    return [[Part(x, y, size, mask)] for x, y in zip(x, y)]


def _climb(
    rng: np.random.Generator, t: np.ndarray, mask: np.ndarray
) -> List[List[Part]]:
    """Move up: as to the left, with the axes exchanged."""
    return [
        [part._replace(x=part.y, y=part.x)]
        for (part,) in _travel(rng, t, mask)
    ]


def _orbit(
    rng: np.random.Generator, t: np.ndarray, mask: np.ndarray
) -> List[List[Part]]:
    """Move clockwise, as seen on the screen, over the top of a circle."""
    size, radius = rng.uniform(0.28, 0.36), rng.uniform(0.2, 0.28)
    x, y = rng.uniform(0.46, 0.54, 2)
    top = rng.uniform(-0.8, -0.2) * np.pi  # y points down
    phi = top + rng.uniform(1.0, 1.6) * np.pi * (t - 0.5)
    return [
        [Part(x + radius * np.cos(p), y + radius * np.sin(p), size, mask)]
        for p in phi
    ]


def _approach(
    rng: np.random.Generator, t: np.ndarray, mask: np.ndarray
) -> List[List[Part]]:
    """Grow from small to large, drifting a little."""
    small, large = rng.uniform(0.15, 0.22), rng.uniform(0.55, 0.75)
    (x, y), (dx, dy) = rng.uniform(0.42, 0.58, 2), rng.uniform(-0.1, 0.1, 2)
    size = small + (large - small) * t
    return [
        [Part(x + dx * t, y + dy * t, size, mask)] for t, size in zip(t, size)
    ]


def _open(
    rng: np.random.Generator, t: np.ndarray, mask: np.ndarray
) -> List[List[Part]]:
    """Break along a line; the two halves move apart."""
    size, reach = rng.uniform(0.38, 0.48), rng.uniform(0.17, 0.24)
    (x, y), angle = rng.uniform(0.44, 0.56, 2), rng.uniform(0, np.pi)
    dx, dy = np.cos(angle), np.sin(angle)
    v, u = np.mgrid[:TOKEN, :TOKEN] - (TOKEN - 1) / 2
    half = np.clip(u * dx + v * dy + 0.5, 0, 1)
    halves = ((reach, mask * half), (-reach, mask * (1 - half)))
    return [
        [Part(x + s * dx, y + s * dy, size, m) for s, m in moved]
        for moved in ([(r * t, m) for r, m in halves] for t in t)
    ]


PATHS = (_travel, _climb, _orbit, _approach, _open)  # one for each of PAIRS
