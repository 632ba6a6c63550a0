"""Map names of SigLIP and SigLIP 2: Hugging Face's, timm's.

They have no class token: what is read is an attention pool.
"""

from typing import Tuple

from .tables import Layout, Table, in_blocks
from .vit import HF_CLIP_BLOCK, TIMM_POOL, TIMM_VIT


def _hugging_face(prefix: str) -> Table:
    """Build the table for names that begin with a prefix."""
    vision = {
        'embeddings.patch_embedding.*': 'conv1.*',
        'embeddings.position_embedding.weight': 'positional_embedding',
        'embeddings.position_ids': None,
        'post_layernorm.*': 'ln_post.*',
        **in_blocks('encoder.layers.{i}.', HF_CLIP_BLOCK),
        'head.probe': 'attn_pool.probe',
        'head.attention.in_proj_weight': 'attn_pool.attn.in_proj_weight',
        'head.attention.in_proj_bias': 'attn_pool.attn.in_proj_bias',
        'head.attention.out_proj.*': 'attn_pool.attn.out_proj.*',
        'head.layernorm.*': 'attn_pool.layernorm.*',
        'head.mlp.fc1.*': 'attn_pool.mlp.c_fc.*',
        'head.mlp.fc2.*': 'attn_pool.mlp.c_proj.*',
    }
    others = ('text_model.**', 'logit_scale', 'logit_bias', 'classifier.*')
    return {
        **{f'{prefix}{source}': own for source, own in vision.items()},
        **dict.fromkeys(others),
    }


TIMM_SIGLIP: Table = {**TIMM_VIT, **TIMM_POOL}

LAYOUTS: Tuple[Layout, ...] = (
    *(
        Layout(
            'hf-siglip',
            'vit',
            (
                f'{prefix}embeddings.patch_embedding.weight',
                f'{prefix}encoder.layers.{{i}}.self_attn.q_proj.weight',
            ),
            _hugging_face(prefix),
            without=(f'{prefix}embeddings.class_embedding',),
            channels_last=True,  # where patches are rows of a matrix: NaFlex
        )
        for prefix in ('vision_model.', '')
    ),
    Layout(
        'timm-siglip',
        'vit',
        ('pos_embed', 'blocks.{i}.attn.qkv.weight'),
        TIMM_SIGLIP,
        without=('cls_token', 'norm_pre.weight', 'reg_token'),
    ),
)
