"""Videos that lie on a disk as folders of frames, as mmaction2 reads them."""

import os
import re
from pathlib import Path
from typing import List, NamedTuple

import cv2
import numpy as np

from mmvidadapt.utils.sha256 import start_hash

from .video_facts import VideoFacts
from .video_folders import PICTURES, Source, clips_below

NUMBERED = re.compile(r'([^{}]*?)(\d+)(\.\w+)')


class FrameFiles(NamedTuple):
    """Names of the frames of a video, for ``RawframeDataset``."""

    filename_tmpl: str
    start_index: int


def read_frames(root: Path) -> Source:
    """Read a folder of class folders of folders of frames.

    Args:
        root (Path): The folder. It may hold train, val and test with class
            folders.

    Returns:
        Source: The folders, and how their frames are called.

    Raises:
        ValueError: If there are no frames, or they have no numbers.
    """
    found = []
    for folder, folders, files in os.walk(root, followlinks=True):
        folders.sort()
        if list_frames(files):
            found.append(Path(folder).relative_to(root).as_posix())
    if not found:
        raise ValueError(
            f'There are no frames below {root}; known endings: '
            f'{", ".join(PICTURES)}.'
        )
    clips, _ = clips_below(root, found, 'folders of frames')
    frames = name_frames(root / found[0])
    return Source(root, clips, frames=frames)


def list_frames(names: List[str]) -> List[str]:
    """Return the names of pictures, sorted, hidden ones left out."""
    return sorted(
        name
        for name in names
        if name.lower().endswith(PICTURES) and not name.startswith('.')
    )


def name_frames(folder: Path) -> FrameFiles:
    """Find out how the frames of a folder are called.

    Args:
        folder (Path): With frames.

    Returns:
        FrameFiles: The pattern of the names, and the first number.

    Raises:
        ValueError: If the names have no numbers at their end.
    """
    names = list_frames(os.listdir(folder))
    match = NUMBERED.fullmatch(names[0])
    if match is None:
        raise ValueError(
            f'{folder / names[0]} has no number at the end of its name; call '
            'frames img_00001.jpg, img_00002.jpg and so on.'
        )
    start, digits, ending = match.groups()
    width = len(digits) if len({len(name) for name in names}) == 1 else 1
    numbers = [NUMBERED.fullmatch(name) for name in names]
    first = min(int(number[2]) for number in numbers if number)
    return FrameFiles(f'{start}{{:0{width}}}{ending}', first)


def _names_of_all(folder: str, frames: FrameFiles) -> List[str]:
    """List the frames of a folder in their order; none may be missing."""
    there = set(list_frames(os.listdir(folder)))
    last = frames.start_index + len(there)
    names = [
        frames.filename_tmpl.format(number)
        for number in range(frames.start_index, last)
    ]
    lost = [name for name in names if name not in there]
    if lost or not names:
        raise ValueError(
            f'it has {len(there)} frames, but no {(lost or ["frame"])[0]}.'
        )
    return names


def check_frames(folder: str, level: str, frames: FrameFiles) -> VideoFacts:
    """Look at a folder of frames.

    Args:
        folder (str): The folder.
        level (str): ``'decode'`` decodes all frames and hashes them,
            ``'open'`` decodes the first, ``'exists'`` lists them.
        frames (FrameFiles): How they are called.

    Returns:
        VideoFacts: Number and size of the frames, and more.

    Raises:
        ValueError: If it is not good for training.
    """
    names = _names_of_all(folder, frames)
    size, total, shapes = 0, start_hash(), set()
    looked_at = dict(exists=0, open=1, decode=len(names))[level]
    for i, name in enumerate(names):
        data = Path(folder, name).read_bytes()
        size += len(data)
        if i >= looked_at:
            continue
        total.update(data)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f'its frame {name} cannot be decoded.')
        shapes.add(picture.shape[:2])
    if len(shapes) > 1:
        sizes = ' and '.join(f'{w} x {h}' for h, w in sorted(shapes))
        raise ValueError(f'its frames are {sizes}; make them equal.')
    height, width = next(iter(shapes), (0, 0))
    known = total.hexdigest() if level == 'decode' else ''
    return VideoFacts(len(names), width, height, size, known)
