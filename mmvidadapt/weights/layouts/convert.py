"""Convert weights of any known layout to our names, and account for all."""

import re
from typing import Dict, List, NamedTuple, Tuple

from torch import Tensor

from .flax import is_flax
from .recognize import (
    BACKBONE,
    has_tubelets,
    name_parts_,
    recognize,
    rename_official_,
    to_native,
    unwrap,
)
from .registry import methods
from .tables import NATIVE, match_names

StateDict = Dict[str, Tensor]
HEAD = 'cls_head.'
BUFFERS = re.compile(r'.*(relative_position_index|attn_mask)')


class Conversion(NamedTuple):
    """Converted weights: their layout, and what became of every name.

    Args:
        layout (str): Name of the layout, such as ``'aim-clip'``.
        weights (Dict[str, Tensor]): Under our names.
        matches (Dict[str, str]): Their name to ours; several of theirs may
            be fused into one.
        leftovers (List[str]): Names that a video model has no use for.
    """

    layout: str
    weights: StateDict
    matches: Dict[str, str]
    leftovers: List[str]

    @property
    def whole(self) -> bool:
        """Whether these are backbone and head, not a backbone alone."""
        return any(name.startswith(HEAD) for name in self.weights)


def convert(weights: StateDict, method: str = '') -> Conversion:
    """Rename weights of any known layout.

    A method's recognizer stays one, ``backbone.*`` and ``cls_head.*``; from
    anything else the backbone is taken.

    Args:
        weights (Dict[str, Tensor]): As :func:`load_weights_file`
            reads them.
        method (str): What they are for, since a method may read image
            weights in its own way. Defaults to ``''``: any.

    Returns:
        Conversion: Weights under our names, and how they came by them.

    Raises:
        ValueError: If the layout is unknown, or has names without a place.
    """
    for names in methods():
        claimed = names.claim and names.claim(weights, method)
        if claimed is not None:
            return claimed
    return _by_tables(weights)


def _by_tables(weights: StateDict) -> Conversion:
    """Rename weights by the table of their layout."""
    parts, before = _as_recognizer(weights)
    origin = unwrap(before)
    layout = recognize({k: weights.get(own) for k, own in origin.items()})
    if layout is None:
        to_native(parts)  # raises, with the known layouts
    if layout.family == 'swin' and layout.video and has_tubelets(parts):
        return _keep(weights, layout.video)
    ours, _ = match_names(origin, layout.table)
    head = {before[k]: k for k in parts if k.startswith(HEAD)}
    if not layout.official and layout.table is not NATIVE:
        head = {}  # of an image model
    prefix = BACKBONE if head else ''
    if head:
        rename_official_(parts, prefix)
    else:
        parts = to_native(parts, layout.family)
    matches = {
        origin[name]: prefix + own.split('#')[0]  # thirds are fused
        for name, own in ours.items()
        if own is not None
    }
    matches |= head
    left = [name for name in weights if name not in matches]
    video = layout.family == 'vit' and has_tubelets(parts)
    name = layout.video if video and layout.video else layout.name
    return Conversion(name, parts, matches, left)


def _keep(weights: StateDict, layout: str) -> Conversion:
    """Keep all names but those of buffers."""
    kept = {k: v for k, v in weights.items() if not BUFFERS.fullmatch(k)}
    left = [name for name in weights if name not in kept]
    return Conversion(layout, kept, {name: name for name in kept}, left)


def _as_recognizer(weights: StateDict) -> Tuple[StateDict, Dict[str, str]]:
    """Name the parts of methods' checkpoints; remember their names."""
    parts = dict(weights)
    if is_flax(parts):  # every parameter is laid out anew
        name_parts_(parts)
        return parts, dict(zip(parts, weights))
    before = {name: name for name in parts}
    for renamed in (parts, before):
        name_parts_(renamed)
    return parts, before


def kind(name: str) -> str:
    """Write ``*`` for the numbers of layers in a name."""
    return re.sub(r'(?<=[._])\d+(?=[./]|$)', '*', name)
