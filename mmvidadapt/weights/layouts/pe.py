"""Map names of the Perception Encoder: the authors', timm's.

The authors' are OpenAI CLIP's, and an attention pool. Spatial models have
none, and no last norm; with a class token and without LayerScale no name is
theirs alone, and :mod:`~mmvidadapt.weights.trunk_kind` tells them from CLIP.
"""

from typing import Tuple

from .dinov3 import TIMM_BLOCK
from .tables import Layout, Table, in_blocks, same
from .vit import CLIP_TEXT, CLIP_VISUAL, TIMM_POOL, TIMM_VIT

POOL = same(
    'attn_pool.probe',
    'attn_pool.attn.in_proj_*',
    'attn_pool.attn.out_proj.*',
    'attn_pool.layernorm.*',
    'attn_pool.mlp.c_fc.*',
    'attn_pool.mlp.c_proj.*',
)
VISUAL: Table = {**CLIP_VISUAL, **POOL}
WHOLE: Table = {
    **{f'visual.{source}': own for source, own in VISUAL.items()},
    **CLIP_TEXT,
}
TIMM: Table = {**TIMM_VIT, **in_blocks('blocks.{i}.', TIMM_BLOCK), **TIMM_POOL}
TIMM_MARKS = 'norm_pre.weight', 'blocks.{i}.attn.qkv.weight'

LAYOUTS: Tuple[Layout, ...] = (
    *(
        Layout('pe', 'vit', (mark,), table)
        for mark, table in (
            ('visual.attn_pool.probe', WHOLE),
            ('visual.transformer.resblocks.{i}.ls_1.gamma', WHOLE),
            ('transformer.resblocks.{i}.ls_1.gamma', VISUAL),
        )
    ),
    Layout('pe', 'vit', ('attn_pool.probe', 'conv1.weight', 'proj'), VISUAL),
    Layout('timm-pe', 'vit', (*TIMM_MARKS, 'attn_pool.latent'), TIMM),
    Layout(  # a spatial one
        'timm-pe',
        'vit',
        TIMM_MARKS,
        TIMM,
        without=('norm.weight',),
        kind='pe',
    ),
)
