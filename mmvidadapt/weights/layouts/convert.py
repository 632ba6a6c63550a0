"""Say what any known weights are, and give them our names."""

import re
from typing import Dict, List, NamedTuple, Tuple

from torch import Tensor

from mmvidadapt.methods.bevt.names import DROPPED, PREFIX
from mmvidadapt.methods.dualpath.names import rename_dualpath_
from mmvidadapt.methods.evl.names import rename_recognizer_
from mmvidadapt.methods.vivit.names import rename_vivit_

from .flax import is_flax
from .match_names import match_names
from .recognise import OFFICIAL, recognise, rename_official_, to_native, unwrap
from .tables import NATIVE, Layout

StateDict = Dict[str, Tensor]
BACKBONE, HEAD = 'backbone.', 'cls_head.'
BUFFERS = re.compile(r'.*(relative_position_index|attn_mask)')
# What tells BEVT's stages from other Swins, and its joint stage.
PATCH, MASK = 'patch_embed.proj.weight', 'mask_token'
JOINT = 'patch_embed_2d.'


class Conversion(NamedTuple):
    """What weights are, and what became of them.

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


def convert(weights: StateDict, inflate: bool = True) -> Conversion:
    """Rename weights of any known layout.

    A method's recogniser stays one, ``backbone.*`` and ``cls_head.*``; from
    anything else the backbone is taken.

    Args:
        weights (Dict[str, Tensor]): As :func:`load_weights_file`
            reads them.
        inflate (bool): Whether patches of an image Swin get the depth that
            AIM gives them; BEVT reads image Swins as they are.
            Defaults to True.

    Returns:
        Conversion: Weights under our names, and how they came by them.

    Raises:
        ValueError: If the layout is unknown, or has names without a place.
    """
    encoder = {PREFIX.sub('', name): name for name in weights}
    if PATCH in encoder and (
        MASK in encoder or (not inflate and weights[encoder[PATCH]].ndim == 4)
    ):
        return _convert_bevt(weights, encoder)
    parts, before = _as_recogniser(weights)
    origin = unwrap(before)
    layout = recognise(origin)
    if layout is None:
        to_native(parts)  # says so
    if layout.name == 'swin-2d' and weights[origin[PATCH]].ndim == 5:
        return _keep(weights, 'video-swin')
    ours, _ = match_names(origin, layout.table)
    head = {before[k]: k for k in parts if k.startswith(HEAD)}
    if not layout.name.startswith(OFFICIAL) and layout.table is not NATIVE:
        head = {}  # of an image model
    prefix = BACKBONE if head else ''
    if head:
        rename_official_(parts, prefix)
    else:
        parts = to_native(parts, layout.model)
    matches = {
        origin[name]: prefix + own.split('#')[0]  # thirds are fused
        for name, own in ours.items()
        if own is not None
    }
    matches |= head
    left = [name for name in weights if name not in matches]
    return Conversion(_layout_name(layout, parts), parts, matches, left)


def _layout_name(layout: Layout, parts: StateDict) -> str:
    """Tell Hugging Face's ViViT from their ViT by its patches."""
    patches = [v for k, v in parts.items() if k.endswith('conv1.weight')]
    video = patches and patches[0].ndim == 5
    return 'vivit-hf' if video and layout.name == 'hf-vit' else layout.name


def _keep(weights: StateDict, layout: str) -> Conversion:
    """Keep all names but those of buffers."""
    kept = {k: v for k, v in weights.items() if not BUFFERS.fullmatch(k)}
    left = [name for name in weights if name not in kept]
    return Conversion(layout, kept, {name: name for name in kept}, left)


def _convert_bevt(weights: StateDict, encoder: Dict[str, str]) -> Conversion:
    """Take the encoder of a stage of BEVT; loading it inflates the tables."""
    kept = {k: v for k, v in encoder.items() if not DROPPED.fullmatch(k)}
    joint = any(name.startswith(JOINT) for name in kept)
    swin = 'bevt-image' if MASK in kept else 'swin-2d'
    return Conversion(
        'bevt-joint' if joint else swin,
        {own: weights[name] for own, name in kept.items()},
        {name: own for own, name in kept.items()},
        [name for name in weights if name not in kept.values()],
    )


def _as_recogniser(weights: StateDict) -> Tuple[StateDict, Dict[str, str]]:
    """Name the parts of methods' checkpoints; remember their names."""
    parts = dict(weights)
    if is_flax(parts):  # every parameter is laid out anew
        rename_vivit_(parts)
        return parts, dict(zip(parts, weights))
    before = {name: name for name in parts}
    for renamed in (parts, before):
        rename_recognizer_(renamed)
        rename_dualpath_(renamed)
        rename_vivit_(renamed)
    return parts, before


def kind(name: str) -> str:
    """Write ``*`` for the numbers of layers in a name."""
    return re.sub(r'(?<=[._])\d+(?=[./]|$)', '*', name)
