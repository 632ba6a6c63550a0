"""Rows of the table of trunks, a file for every family of weights."""

from typing import Dict

from ..row import Trunk
from . import (
    clip,
    dino,
    eva,
    imagenet,
    perception_encoder,
    siglip,
    video,
    vjepa,
)

FAMILIES = (clip, imagenet, dino, siglip, eva, perception_encoder)
FAMILIES += (vjepa, video)
ROWS: Dict[str, Trunk] = {
    name: row for family in FAMILIES for name, row in family.ROWS.items()
}
