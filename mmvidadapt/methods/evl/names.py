"""Map parameter names of the official EVL to ours, and name its parts.

Released checkpoints hold ``{'model': {'module.decoder...': ...}}``: decoder
and classifier, without the frozen CLIP; fine-tuned ones hold ``backbone.*``,
too.
"""

import re
from typing import Any, Dict, Optional

from mmvidadapt.weights.layouts.registry import register_names
from mmvidadapt.weights.layouts.tables import (
    NATIVE,
    Layout,
    Table,
    in_blocks,
    same,
)

TRUNK: Table = {
    'cls_token': 'class_embedding',
    'pos_embed': 'positional_embedding',
    'patch_embed.proj.*': 'conv1.*',
    **same('ln_pre.*'),
    **in_blocks(
        'blocks.{i}.',
        {
            'norm1.*': 'ln_1.*',
            'norm2.*': 'ln_2.*',
            'attn.q_proj.*': 'attn.in_proj_*#q',
            'attn.k_proj.*': 'attn.in_proj_*#k',
            'attn.v_proj.*': 'attn.in_proj_*#v',
            'attn.out_proj.*': 'attn.out_proj.*',
            'mlp.fc1.*': 'mlp.c_fc.*',
            'mlp.fc2.*': 'mlp.c_proj.*',
        },
    ),
}
LAYER = 'decoder.layers.{i}.'
DECODER: Table = {
    **same('decoder.cls_token'),
    **{
        f'decoder.decoder_layers.{{i}}.{name}': LAYER + name
        for name in (
            'norm1.*',
            'norm2.*',
            'norm3.*',
            'attn.q_proj.*',
            'attn.k_proj.*',
            'attn.v_proj.*',
            'attn.out_proj.*',
            'mlp.fc1.*',
            'mlp.fc2.*',
        )
    },
    'decoder.temporal_conv.{i}.*': f'{LAYER}temporal_conv.*',
    'decoder.temporal_pos_embed.{i}': f'{LAYER}temporal_pos_embed',
    'decoder.cross_attention.{i}.w1': f'{LAYER}motion.w1',
    'decoder.cross_attention.{i}.w2': f'{LAYER}motion.w2',
}
EVL: Table = {
    **TRUNK,
    **{f'backbone.{source}': own for source, own in TRUNK.items()},
    **DECODER,
    'proj.**': None,  # the classifier
}
MARK = 'decoder.decoder_layers.{i}.norm1.weight'
LAYOUTS = (
    Layout(
        'evl',
        'vit',
        ('decoder.cls_token', MARK),
        EVL,
        official=True,
        fallback=True,
    ),
    Layout(
        'native-evl',  # without the trunk
        'vit',
        ('decoder.cls_token', f'{LAYER}norm1.weight'),
        NATIVE,
        fallback=True,
    ),
)

HEAD = {'proj.0.': 'cls_head.norm.', 'proj.2.': 'cls_head.fc_cls.'}


def name_parts(weights: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Name the parts of an official checkpoint as a recognizer's.

    What is inside the parts keeps its official name.

    Args:
        weights (Dict[str, Any]): What is about to be loaded.

    Returns:
        Dict[str, Any], optional: Under our names of parts; None for others.
    """
    if 'decoder.cls_token' not in weights:
        return None
    named = {}
    for name, value in weights.items():
        for official, own in HEAD.items():
            name = re.sub(f'^{re.escape(official)}', own, name)
        if name.startswith('decoder.'):
            name = f'backbone.{name}'
        named[name] = value
    return named


register_names(
    'evl',
    layouts=LAYOUTS,
    parts=name_parts,
    time_axes={'temporal_pos_embed': 0},  # (T, C)
)
