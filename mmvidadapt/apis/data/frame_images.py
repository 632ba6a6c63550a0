"""Make a list of images of the frames of listed videos."""

import os
from pathlib import Path
from typing import List, Tuple, Union

import cv2
import numpy as np
from mmengine.logging import print_log

from mmvidadapt.datasets.prepare.annotation_lists import read_list, write_list
from mmvidadapt.utils.video import VideoError

from ..use.windows import read_frames

LIST = 'images.txt'
QUALITY = 95  # of JPEG


def _write_frames(root: Path, video: str, out: Path, every: int) -> List[str]:
    """Write the images of a video, up to where it is damaged; name them."""
    names, folder = [], _folder(root, video)
    try:
        for number, frame in enumerate(read_frames(root / video)):
            if number % every == 0:
                names.append(f'{folder}/{number:06d}.jpg')
                _write_image(out / names[-1], frame)
    except VideoError as error:
        if not names:
            raise
        print_log(f'{error} What comes before is used.', 'current', 30)
    return names


def write_images(
    listing: Union[str, Path],
    out: Union[str, Path],
    root: Union[str, Path, None] = None,
    every: int = 1,
) -> Tuple[Path, int]:
    """Write frames of videos as images, and a list of them.

    Images that are there stay. The list, for ``ImageListDataset``, comes
    last: where it is, all images are.

    Args:
        listing (str | Path): Videos, one in a line, with or without label.
        out (str | Path): Folder of the images and of ``images.txt``.
        root (str | Path, optional): What paths of videos are relative to.
            Defaults to None: the folder of the list.
        every (int): Take one of so many frames, the first to begin with.
            Defaults to 1: all frames.

    Returns:
        Tuple[Path, int]: The list and the number of its images.

    Raises:
        ValueError: If ``every`` is less than 1, if a video lies outside of
            the root, or if no frame of it can be read. Where it is damaged
            later, that is logged, and what comes before is used.
    """
    if every < 1:
        raise ValueError(f'every={every}: give 1 for all frames, or more.')
    listing, out, rows = Path(listing), Path(out), []
    root = listing.parent if root is None else Path(root)
    for video, label in read_list(listing):
        names = _write_frames(root, video, out, every)
        if not names:
            raise ValueError(
                f'{root / video} holds no frame that can be decoded; take it '
                f'out of {listing}.'
            )
        rows += [(name, label) for name in names]
    write_list(out / LIST, rows)
    return out / LIST, len(rows)


def _folder(root: Path, video: str) -> str:
    """Name the folder of a video's images: ``a/b.mp4`` becomes ``a/b_mp4``."""
    path = os.path.relpath(root / video, root)
    if path.startswith(os.pardir):
        raise ValueError(
            f'{video} lies outside of {root}; give a root that holds all '
            'videos.'
        )
    folder, name = os.path.split(path)
    return os.path.join(folder, name.replace('.', '_'))


def _write_image(path: Path, frame: np.ndarray) -> None:
    """Write an RGB frame (H, W, 3), the whole file or none."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    part = path.with_name(f'.part-{path.name}')
    part.write_bytes(cv2.imencode('.jpg', picture, options)[1].tobytes())
    part.replace(path)
