"""Map parameter names of ViViT to ours: scenic's and Hugging Face's.

Scenic's image ViTs, and the ViTs published as ``.npz`` before them, have the
names of model 1; :mod:`mmvidadapt.weights.layouts.flax` writes flax's paths
as these names.
"""

import re
from typing import Any, Dict, Optional

from torch import Tensor

from mmvidadapt.weights.layouts.flax import is_flax, to_torch
from mmvidadapt.weights.layouts.recognize import to_native
from mmvidadapt.weights.layouts.registry import register_names
from mmvidadapt.weights.layouts.tables import NATIVE, Layout, Table, in_blocks
from mmvidadapt.weights.layouts.vit import HF_MEMORY_BLOCK

QKV = {'query': 'q', 'key': 'k', 'value': 'v'}


def _attention(theirs: str, ours: str) -> Dict[str, str]:
    """Name an attention."""
    return {
        **{
            f'{theirs}.{part}.*': f'{ours}.in_proj_*#{sign}'
            for part, sign in QKV.items()
        },
        f'{theirs}.out.*': f'{ours}.out_proj.*',
    }


def _mlp(theirs: str) -> Dict[str, str]:
    """Name an MLP."""
    return {
        f'{theirs}.Dense_0.*': 'mlp.c_fc.*',
        f'{theirs}.Dense_1.*': 'mlp.c_proj.*',
    }


MSA = 'MultiHeadDotProductAttention'
# The second numbers are those of flax before Linen.
BLOCK = {
    'LayerNorm_0.*': 'ln_1.*',
    'LayerNorm_1.*': 'ln_2.*',
    'LayerNorm_2.*': 'ln_2.*',
    **_attention(f'{MSA}_0', 'attn'),
    **_attention(f'{MSA}_1', 'attn'),
    **_mlp('MlpBlock_0'),
    **_mlp('MlpBlock_3'),
    # Model 3.
    'LayerNorm_space.*': 'ln_1.*',
    'LayerNorm_time.*': 'ln_time.*',
    'LayerNorm_mlp.*': 'ln_2.*',
    **_attention(f'{MSA}_space', 'attn'),
    **_attention(f'{MSA}_time', 'attn_time'),
    **_mlp('MlpBlock'),
}


def _encoder(theirs: str) -> Table:
    """Name an encoder."""
    return {
        f'{theirs}.posembed_input.pos_embedding': 'positional_embedding',
        f'{theirs}.encoder_norm.*': 'ln_post.*',
        **in_blocks(f'{theirs}.encoderblock_{{i}}.', BLOCK),
    }


SCENIC: Table = {
    'embedding.*': 'conv1.*',
    'cls': 'class_embedding',
    'cls_SpatialTransformer': 'class_embedding',
    'cls_TemporalTransformer': 'temporal.class_embedding',
    **_encoder('Transformer'),
    **_encoder('SpatialTransformer'),
    **{
        source: f'temporal.{own}'
        for source, own in _encoder('TemporalTransformer').items()
    },
    **dict.fromkeys(('output_projection.*', 'head.*', 'pre_logits.*')),
}
# The names that transformers 5 has in memory; its files have the old ones.
HF_VIVIT5: Table = {
    'embeddings.cls_token': 'class_embedding',
    'embeddings.position_embeddings': 'positional_embedding',
    'embeddings.patch_embeddings.projection.*': 'conv1.*',
    'layernorm.*': 'ln_post.*',
    **in_blocks(
        'layers.{i}.',
        {
            'layernorm_before.*': 'ln_1.*',
            'layernorm_after.*': 'ln_2.*',
            **HF_MEMORY_BLOCK,
        },
    ),
    **dict.fromkeys(('pooler.dense.*', 'classifier.*')),
}
LAYOUTS = (
    Layout(
        'vivit-scenic',
        'vit',
        ('Transformer.encoder_norm.*', 'embedding.*'),
        SCENIC,
        official=True,
        fallback=True,
    ),
    Layout(
        'vivit-scenic',
        'vit',
        ('SpatialTransformer.encoder_norm.*', 'embedding.*'),
        SCENIC,
        official=True,
        fallback=True,
    ),
    Layout(
        'vivit-hf5',
        'vit',
        ('embeddings.cls_token', 'layers.{i}.attention.q_proj.*'),
        HF_VIVIT5,
        official=True,
        fallback=True,
    ),
    # Models without class token, and model 2, as we name them.
    Layout(
        'native-vivit',
        'vit',
        ('positional_embedding', 'conv1.weight', 'ln_post.weight'),
        NATIVE,
        fallback=True,
    ),
)
HEAD = {
    'output_projection.': 'cls_head.fc_cls.',
    'pre_logits.': 'cls_head.pre_logits.',
    'classifier.': 'cls_head.fc_cls.',
    'vivit.': 'backbone.',
}


def name_parts(weights: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Name the parts of an official checkpoint as a recognizer's.

    What is inside the backbone keeps its official name.

    Args:
        weights (Dict[str, Any]): What is about to be loaded.

    Returns:
        Dict[str, Any], optional: Under our names of parts; None for others.
    """
    scenic = is_flax(weights)
    if not (scenic or any(name.startswith('vivit.') for name in weights)):
        return None
    named = {}
    for name, value in (to_torch(weights) if scenic else weights).items():
        known = next((key for key in HEAD if name.startswith(key)), '')
        own = HEAD.get(known, 'backbone.')
        named[own + name[len(known) :]] = value
    return named


register_names(
    'vivit',
    layouts=LAYOUTS,
    parts=name_parts,
    time_axes={r'temporal\.positional_embedding': 0},  # (1+T, C)
)


def temporal_depth(state_dict: Dict[str, Tensor]) -> int:
    """Count the temporal layers of a factorised encoder's weights.

    Args:
        state_dict (Dict[str, Tensor]): Weights in any known layout.

    Returns:
        int: 0 for a factorised encoder without temporal layers.

    Raises:
        ValueError: If the weights are those of an image model.
    """
    weights = to_native(state_dict)
    temporal = any(name.startswith('temporal.') for name in weights)
    if weights['conv1.weight'].ndim == 4 and not temporal:
        raise ValueError(
            'Image weights have no temporal layers to count; '
            'give temporal_num_layers.'
        )
    pattern = re.compile(r'temporal\.transformer\.resblocks\.(\d+)\.')
    found = map(pattern.match, weights)
    return 1 + max((int(match[1]) for match in found if match), default=-1)
