"""Map parameter names of the official DualPath to ours.

Its checkpoints hold ``{'model': ...}``: the whole CLIP with its text tower,
and adapters and classifier inside the image tower.
"""

import re
from typing import Any, Dict, Optional

from mmvidadapt.weights.layouts.registry import register_names
from mmvidadapt.weights.layouts.tables import NATIVE, Layout, Table
from mmvidadapt.weights.layouts.vit import OPENAI_CLIP

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
        official=True,
    ),
    Layout(
        'native-dualpath',
        'vit',
        ('class_embedding', f'{BLOCK}**_adapter_attn.down.weight'),
        NATIVE,
    ),
)

MARK = re.compile(r'visual\..*_adapter_attn\.down_proj\.weight')


def name_parts(weights: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Name the parts of an official checkpoint as a recognizer's.

    The text tower is dropped; what is inside the image tower keeps its
    official name.

    Args:
        weights (Dict[str, Any]): What is about to be loaded.

    Returns:
        Dict[str, Any], optional: Under our names of parts; None for others.
    """
    if not any(map(MARK.fullmatch, weights)):
        return None
    named = {}
    for name, value in weights.items():
        if name.startswith('visual.head.'):
            named[name.replace('visual.head', 'cls_head', 1)] = value
        elif name.startswith('visual.'):
            named[f'backbone.{name}'] = value
    return named


register_names('dualpath', layouts=LAYOUTS, parts=name_parts)
