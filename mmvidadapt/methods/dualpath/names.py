"""How the official DualPath names its parameters, and CLIP's projection.

Its checkpoints hold ``{'model': ...}``: the whole CLIP with its text tower,
and adapters and classifier inside the image tower.
"""

import re
from typing import Any, Dict

from torch import Tensor

from mmvidadapt.weights.layouts.images import OPENAI_CLIP
from mmvidadapt.weights.layouts.tables import NATIVE, Layout, Table

BLOCK = 'transformer.resblocks.{i}.'
ADAPTERS = (
    't_adapter_attn_b',
    't_adapter_attn',
    't_adapter_mlp',
    's_adapter_attn',
    's_adapter_mlp',
)
DUALPATH: Table = {
    **OPENAI_CLIP,
    'visual.proj': 'proj',
    'visual.spatial_positional_embedding': 'spatial_positional_embedding',
    'visual.head.**': None,  # the classifier
    **{
        f'visual.{BLOCK}{adapter}.{fc}_proj.*': f'{BLOCK}{adapter}.{fc}.*'
        for adapter in ADAPTERS
        for fc in ('down', 'up')
    },
}
LAYOUTS = (
    Layout(
        'dualpath',
        'vit',
        (
            'visual.class_embedding',
            f'visual.{BLOCK}**_adapter_attn.down_proj.weight',
        ),
        DUALPATH,
    ),
    Layout(
        'native-dualpath',
        'vit',
        ('class_embedding', f'{BLOCK}**_adapter_attn.down.weight'),
        NATIVE,
    ),
)

# CLIP's projection, (C, E), which other methods leave out.
PROJECTION = re.compile(r'(backbone\.)?(visual\.)?proj')
HF_PROJECTION = 'visual_projection.weight'  # (E, C)
MARK = re.compile(r'visual\..*_adapter_attn\.down_proj\.weight')


def find_projection(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Take CLIP's projection out of weights of any layout.

    Args:
        weights (Dict[str, Tensor]): Under their own names.

    Returns:
        Dict[str, Tensor]: ``proj``, or nothing.
    """
    if HF_PROJECTION in weights:
        return dict(proj=weights[HF_PROJECTION].T.contiguous())
    for name, value in weights.items():
        if PROJECTION.fullmatch(name):
            return dict(proj=value)
    return {}


def rename_dualpath_(state_dict: Dict[str, Any]) -> None:
    """Name the parts of an official checkpoint as a recogniser's, in place.

    Leaves others alone. The text tower is dropped; what is inside the image
    tower keeps its official name.

    Args:
        state_dict (Dict[str, Any]): What is about to be loaded.
    """
    inner = state_dict.get('model', state_dict)
    if isinstance(inner, Tensor):
        return
    inner = {re.sub(r'^(module\.)+', '', k): v for k, v in inner.items()}
    if not any(map(MARK.fullmatch, inner)):
        return
    state_dict.clear()
    for name, value in inner.items():
        if name.startswith('visual.head.'):
            state_dict[name.replace('visual.head', 'cls_head', 1)] = value
        elif name.startswith('visual.'):
            state_dict[f'backbone.{name}'] = value
