"""Choose a trunk by what is there and by what there is time for."""

import time
from typing import NamedTuple, Optional

import torch

from mmvidadapt.trunks.listing import figures, find_trunks, weights_at
from mmvidadapt.trunks.row import Trunk
from mmvidadapt.trunks.table import find_trunk

# What a trunk of this family costs at another size follows from its patches.
FAMILY = 'vit'
SHARE = 0.5  # of the budget goes into the features


class Choice(NamedTuple):
    """A trunk, where its weights are from, and why it was chosen."""

    name: str
    pretrained: Optional[str]
    reason: str


def choose_trunk(
    frames: int,
    seconds: float,
    named: Optional[str] = None,
    size: int = 112,
    download: bool = True,
    speed: Optional[float] = None,
) -> Choice:
    """Choose the trunk whose features can be computed within a time.

    Args:
        frames (int): How many frames go through the trunk.
        seconds (float): The time that there is for everything.
        named (str, optional): A name, or ``NAME=FILE`` with weights of one's
            own. Defaults to None: the largest DINOv2 that is kept here, or
            may be downloaded, and whose features take half of the time at
            most.
        size (int): Height and width of a frame in pixels. Defaults to 112.
        download (bool): Whether weights may be downloaded. Defaults to True.
        speed (float, optional): Multiply-accumulates a second of this
            machine. Defaults to None: measured.

    Returns:
        Choice: The trunk.

    Raises:
        ValueError: If there is no such trunk, or none may be had.
    """
    if named is not None:
        name, _, pretrained = named.partition('=')
        row = find_trunk(name)
        return Choice(
            row.name, pretrained or None, f'{row.name}, as asked for.'
        )
    rows = sorted(find_trunks(['dinov2']), key=lambda row: row.width)
    rows = [
        row for row in rows if row.family == FAMILY and _had(row, download)
    ]
    if not rows:
        raise ValueError(
            'No DINOv2 is kept here, and nothing may be downloaded: get one '
            'by `python -m mmvidadapt trunks`, or give --trunk NAME=FILE.'
        )
    speed = speed or measure_speed()
    takes = [(row, frames * cost(row, size) / speed) for row in rows]
    within = [pair for pair in takes if pair[1] <= SHARE * seconds]
    row, needed = within[-1] if within else takes[0]
    return Choice(
        row.name,
        None,
        f'{row.name}: its features of {frames:,} frames of {size} px take '
        f'about {needed:.0f} s here'
        + (
            ', the largest of its kind for which there is time (--budget).'
            if within
            else ', more than half of the time; there is no smaller '
            'one (--budget).'
        ),
    )


def _had(row: Trunk, download: bool) -> bool:
    """Check whether weights are here or can come."""
    where = weights_at(row)
    return where == 'kept' or (download and where == 'download')


def cost(row: Trunk, size: int) -> float:
    """Estimate multiply-accumulates of a frame; attention is small here."""
    _, gmacs = figures(row)
    return gmacs * 1e9 * (size / row.img_size) ** 2


def measure_speed(seconds: float = 0.3) -> float:
    """Measure multiply-accumulates a second, as MLPs of ViTs have them."""
    x, w = torch.randn(1024, 384), torch.randn(384, 1536)
    x @ w
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        x @ w
        done += x.shape[0] * w.numel()
    return 0.6 * done / (time.perf_counter() - start)  # norms, softmax, data
