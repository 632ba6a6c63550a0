"""Map names of image ViTs: OpenAI, Hugging Face, timm, mmpretrain, ours."""

import re
from typing import Dict, Tuple

from torch import Tensor

from .tables import NATIVE, Layout, Table, in_blocks, same

CLIP_BLOCK = same(
    'ln_1.*',
    'ln_2.*',
    'attn.in_proj_*',
    'attn.out_proj.*',
    'mlp.c_fc.*',
    'mlp.c_proj.*',
) | {'ls_1.gamma': 'attn.out_proj.gamma', 'ls_2.gamma': 'mlp.c_proj.gamma'}
CLIP_TRUNK: Table = {
    **same(
        'class_embedding',
        'positional_embedding',
        'conv1.*',
        'ln_pre.*',
        'ln_post.*',
    ),
    **in_blocks('transformer.resblocks.{i}.', CLIP_BLOCK),
}
CLIP_VISUAL: Table = {**CLIP_TRUNK, 'proj': None}
# The text tower has the names of the image tower without `visual.`.
CLIP_TEXT: Table = dict.fromkeys(
    (
        'transformer.resblocks.**',
        'positional_embedding',
        'token_embedding.weight',
        'ln_final.*',
        'text_projection',
        'logit_scale',
        'logit_bias',
        'attn_mask',
        'text.**',
        'input_resolution',
        'context_length',
        'vocab_size',
    )
)
OPENAI_CLIP: Table = {
    **{f'visual.{source}': own for source, own in CLIP_VISUAL.items()},
    **CLIP_TEXT,
}
HF_CLIP_BLOCK = {
    'layer_norm1.*': 'ln_1.*',
    'layer_norm2.*': 'ln_2.*',
    'self_attn.q_proj.*': 'attn.in_proj_*#q',
    'self_attn.k_proj.*': 'attn.in_proj_*#k',
    'self_attn.v_proj.*': 'attn.in_proj_*#v',
    'self_attn.out_proj.*': 'attn.out_proj.*',
    'mlp.fc1.*': 'mlp.c_fc.*',
    'mlp.fc2.*': 'mlp.c_proj.*',
}


def _hf_clip(prefix: str) -> Table:
    """Build the table of Hugging Face's CLIP for names with a prefix."""
    vision = {
        'embeddings.class_embedding': 'class_embedding',
        'embeddings.patch_embedding.*': 'conv1.*',
        'embeddings.position_embedding.*': 'positional_embedding',
        'embeddings.position_ids': None,
        'pre_layrnorm.*': 'ln_pre.*',  # their spelling
        'post_layernorm.*': 'ln_post.*',
        **in_blocks('encoder.layers.{i}.', HF_CLIP_BLOCK),
    }
    others = (
        'text_model.**',
        'text_projection.weight',
        'visual_projection.weight',
        'logit_scale',
        'classifier.*',
    )
    return {
        **{f'{prefix}{source}': own for source, own in vision.items()},
        **dict.fromkeys(others),
    }


# As transformers 5 names them in memory, those of other models, too.
HF_MEMORY_BLOCK = {
    'attention.q_proj.*': 'attn.in_proj_*#q',
    'attention.k_proj.*': 'attn.in_proj_*#k',
    'attention.v_proj.*': 'attn.in_proj_*#v',
    'attention.o_proj.*': 'attn.out_proj.*',
    'mlp.fc1.*': 'mlp.c_fc.*',
    'mlp.fc2.*': 'mlp.c_proj.*',
}
HF_VIT: Table = {
    'embeddings.cls_token': 'class_embedding',
    'embeddings.position_embeddings': 'positional_embedding',
    'embeddings.patch_embeddings.projection.*': 'conv1.*',
    'embeddings.mask_token': None,
    'layernorm.*': 'ln_post.*',
    **in_blocks(
        'encoder.layer.{i}.',
        {
            'layernorm_before.*': 'ln_1.*',
            'layernorm_after.*': 'ln_2.*',
            'attention.attention.query.*': 'attn.in_proj_*#q',
            'attention.attention.key.*': 'attn.in_proj_*#k',
            'attention.attention.value.*': 'attn.in_proj_*#v',
            'attention.output.dense.*': 'attn.out_proj.*',
            'intermediate.dense.*': 'mlp.c_fc.*',
            'output.dense.*': 'mlp.c_proj.*',
        },
    ),
    **dict.fromkeys(('pooler.dense.*', 'classifier.*')),
}
TIMM_BLOCK = {
    'norm1.*': 'ln_1.*',
    'norm2.*': 'ln_2.*',
    'attn.qkv.*': 'attn.in_proj_*',
    'attn.proj.*': 'attn.out_proj.*',
    'mlp.fc1.*': 'mlp.c_fc.*',
    'mlp.fc2.*': 'mlp.c_proj.*',
}
TIMM_TRUNK: Table = {
    'cls_token': 'class_embedding',
    'pos_embed': 'positional_embedding',
    'patch_embed.proj.*': 'conv1.*',
    **in_blocks('blocks.{i}.', TIMM_BLOCK),
}
TIMM_VIT: Table = {
    **TIMM_TRUNK,
    'norm_pre.*': 'ln_pre.*',
    'norm.*': 'ln_post.*',
    **dict.fromkeys(('head.*', 'pre_logits.**')),
}
TIMM_POOL = {
    'attn_pool.latent': 'attn_pool.probe',
    'attn_pool.q.*': 'attn_pool.attn.in_proj_*#q',
    'attn_pool.kv.*': 'attn_pool.attn.in_proj_*#kv',
    'attn_pool.proj.*': 'attn_pool.attn.out_proj.*',
    'attn_pool.norm.*': 'attn_pool.layernorm.*',
    'attn_pool.mlp.fc1.*': 'attn_pool.mlp.c_fc.*',
    'attn_pool.mlp.fc2.*': 'attn_pool.mlp.c_proj.*',
}
MMPRETRAIN_VIT: Table = {
    'cls_token': 'class_embedding',
    'pos_embed': 'positional_embedding',
    'patch_embed.projection.*': 'conv1.*',
    'pre_norm.*': 'ln_pre.*',
    'ln1.*': 'ln_post.*',
    **in_blocks(
        'layers.{i}.',
        {
            'ln1.*': 'ln_1.*',
            'ln2.*': 'ln_2.*',
            'attn.qkv.*': 'attn.in_proj_*',
            'attn.proj.*': 'attn.out_proj.*',
            'ffn.layers.0.0.*': 'mlp.c_fc.*',
            'ffn.layers.1.*': 'mlp.c_proj.*',
        },
    ),
}

# The first layout whose marks are all there is the one.
LAYOUTS: Tuple[Layout, ...] = (
    Layout('openai-clip', 'vit', ('visual.class_embedding',), OPENAI_CLIP),
    *(
        Layout(
            'hf-clip',
            'vit',
            (f'{prefix}embeddings.class_embedding',),
            _hf_clip(prefix),
        )
        for prefix in ('vision_model.', '')
    ),
    Layout(
        'hf-vit',
        'vit',
        (
            'embeddings.cls_token',
            'encoder.layer.{i}.attention.attention.query.*',
        ),
        HF_VIT,
        official=True,  # their video models have the same names
        video='vivit-hf',
    ),
    Layout(
        'timm-vit',
        'vit',
        ('cls_token', 'blocks.{i}.attn.qkv.weight'),
        TIMM_VIT,
    ),
    Layout(
        'mmpretrain-vit',
        'vit',
        ('cls_token', 'layers.{i}.ffn.layers.0.0.*'),
        MMPRETRAIN_VIT,
    ),
    Layout(
        'clip-visual',
        'vit',
        ('class_embedding', 'conv1.weight', 'proj'),
        CLIP_VISUAL,
    ),
    Layout('native', 'vit', ('class_embedding', 'conv1.weight'), NATIVE),
    Layout(  # without a class token
        'native',
        'vit',
        ('conv1.weight', 'transformer.resblocks.{i}.attn.in_proj_weight'),
        NATIVE,
    ),
)

# CLIP's projection, (C, E), which most methods leave out.
PROJECTION = re.compile(r'(backbone\.)?(visual\.)?proj')
HF_PROJECTION = 'visual_projection.weight'  # (E, C)
TIMM_CLIP = {'norm_pre.weight', 'head.weight'}


def find_projection(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Take CLIP's projection out of weights of any layout.

    Args:
        weights (Dict[str, Tensor]): Under their own names.

    Returns:
        Dict[str, Tensor]: ``proj``, or nothing.
    """
    if HF_PROJECTION in weights:
        return dict(proj=weights[HF_PROJECTION].T.contiguous())
    if TIMM_CLIP.issubset(weights):  # as a classifier, whose bias is zero
        bias = weights.get('head.bias')
        if bias is None or not bias.any():
            return dict(proj=weights['head.weight'].T.contiguous())
    for name, value in weights.items():
        if PROJECTION.fullmatch(name):
            return dict(proj=value)
    return {}
