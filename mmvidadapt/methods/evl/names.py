"""How the official EVL names its parameters, and what stands around them.

Released checkpoints hold ``{'model': {'module.decoder...': ...}}``: decoder
and classifier, without the frozen CLIP; fine-tuned ones hold ``backbone.*``,
too.
"""

import re
from typing import Any, Dict

from torch import Tensor

from mmvidadapt.weights.layouts.tables import (
    NATIVE,
    Layout,
    Table,
    _blocks,
    _same,
)

TRUNK: Table = {
    'cls_token': 'class_embedding',
    'pos_embed': 'positional_embedding',
    'patch_embed.proj.*': 'conv1.*',
    **_same('ln_pre.*'),
    **_blocks(
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
    **_same('decoder.cls_token'),
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
    Layout('evl', 'vit', ('decoder.cls_token', MARK), EVL),
    Layout(
        'native-evl',  # without the trunk
        'vit',
        ('decoder.cls_token', f'{LAYER}norm1.weight'),
        NATIVE,
    ),
)

HEAD = {'proj.0.': 'cls_head.norm.', 'proj.2.': 'cls_head.fc_cls.'}


def rename_recognizer_(state_dict: Dict[str, Any]) -> None:
    """Name the parts of an official checkpoint as a recogniser's, in place.

    Leaves others alone. What is inside the parts keeps its official name.

    Args:
        state_dict (Dict[str, Any]): What is about to be loaded.
    """
    inner = state_dict.get('model', state_dict)
    if isinstance(inner, Tensor):
        return
    inner = {re.sub(r'^(module\.)+', '', k): v for k, v in inner.items()}
    if 'decoder.cls_token' not in inner:
        return
    state_dict.clear()
    for name, value in inner.items():
        for official, own in HEAD.items():
            name = re.sub(f'^{re.escape(official)}', own, name)
        if name.startswith('decoder.'):
            name = f'backbone.{name}'
        state_dict[name] = value
