"""How ViViT's sources name their parameters: scenic and Hugging Face.

Scenic's image ViTs, and the ViTs published as ``.npz`` before them, have the
names of model 1; see :mod:`.flax` for what became of flax's paths.
"""

import re
from typing import Any, Dict

from torch import Tensor

from mmvidadapt.weights.layouts.flax import is_flax, to_torch
from mmvidadapt.weights.layouts.tables import NATIVE, Layout, Table, _blocks

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
        **_blocks(f'{theirs}.encoderblock_{{i}}.', BLOCK),
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
    **_blocks(
        'layers.{i}.',
        {
            'layernorm_before.*': 'ln_1.*',
            'layernorm_after.*': 'ln_2.*',
            'attention.q_proj.*': 'attn.in_proj_*#q',
            'attention.k_proj.*': 'attn.in_proj_*#k',
            'attention.v_proj.*': 'attn.in_proj_*#v',
            'attention.o_proj.*': 'attn.out_proj.*',
            'mlp.fc1.*': 'mlp.c_fc.*',
            'mlp.fc2.*': 'mlp.c_proj.*',
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
    ),
    Layout(
        'vivit-scenic',
        'vit',
        ('SpatialTransformer.encoder_norm.*', 'embedding.*'),
        SCENIC,
    ),
    Layout(
        'vivit-hf5',
        'vit',
        ('embeddings.cls_token', 'layers.{i}.attention.q_proj.*'),
        HF_VIVIT5,
    ),
    # Models without class token, and model 2, as we name them.
    Layout(
        'native-vivit',
        'vit',
        ('positional_embedding', 'conv1.weight', 'ln_post.weight'),
        NATIVE,
    ),
)
HEAD = {
    'output_projection.': 'cls_head.fc_cls.',
    'pre_logits.': 'cls_head.pre_logits.',
    'classifier.': 'cls_head.fc_cls.',
    'vivit.': 'backbone.',
}


def rename_vivit_(state_dict: Dict[str, Any]) -> None:
    """Name the parts of an official checkpoint as a recogniser's, in place.

    Leaves others alone. What is inside the backbone keeps its official name.

    Args:
        state_dict (Dict[str, Any]): What is about to be loaded.
    """
    scenic = is_flax(state_dict)
    if not (scenic or any(name.startswith('vivit.') for name in state_dict)):
        return
    official: Dict[str, Tensor] = (
        to_torch(state_dict) if scenic else dict(state_dict)
    )
    state_dict.clear()
    for name, value in official.items():
        known = next((key for key in HEAD if name.startswith(key)), '')
        own = HEAD.get(known, 'backbone.')
        state_dict[own + name[len(known) :]] = value


def temporal_depth(state_dict: Dict[str, Tensor]) -> int:
    """Count the temporal layers of a factorised encoder's weights.

    Args:
        state_dict (Dict[str, Tensor]): Weights in any known layout.

    Returns:
        int: 0 for a factorised encoder without temporal layers.

    Raises:
        ValueError: If the weights are those of an image model.
    """
    from mmvidadapt.weights.layouts.recognise import to_native

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
