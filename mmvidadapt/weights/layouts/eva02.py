"""Map names of EVA-02-CLIP: the authors', open_clip's, timm's.

Keys have no bias; norms stand before the last layers of attention and MLP.
"""

from typing import Tuple

from .tables import Layout, Table, in_blocks
from .vit import TIMM_VIT

COMMON = {
    'norm1.*': 'ln_1.*',
    'norm2.*': 'ln_2.*',
    'attn.q_proj.*': 'attn.in_proj_*#q',
    'attn.k_proj.*': 'attn.in_proj_*#k',
    'attn.v_proj.*': 'attn.in_proj_*#v',
    'attn.proj.*': 'attn.out_proj.*',
}
AUTHORS = {
    **COMMON,
    'attn.q_bias': 'attn.in_proj_bias#q',
    'attn.v_bias': 'attn.in_proj_bias#v',
    'attn.inner_attn_ln.*': 'attn.out_proj.norm.*',
    'attn.rope.**': None,
    'mlp.w1.*': 'mlp.c_fc.*#gate',
    'mlp.w2.*': 'mlp.c_fc.*#up',
    'mlp.ffn_ln.*': 'mlp.act.norm.*',
    'mlp.w3.*': 'mlp.c_proj.*',
}
TIMM = {
    **COMMON,
    'attn.norm.*': 'attn.out_proj.norm.*',
    'attn.rope.**': None,
    'mlp.fc1_g.*': 'mlp.c_fc.*#gate',
    'mlp.fc1_x.*': 'mlp.c_fc.*#up',
    'mlp.norm.*': 'mlp.act.norm.*',
    'mlp.fc2.*': 'mlp.c_proj.*',
}


def _table(prefix: str, block: Table) -> Table:
    """Build the table for names that begin with a prefix."""
    vision = {**TIMM_VIT, 'rope.**': None, **in_blocks('blocks.{i}.', block)}
    text = ('text.**', 'logit_scale', 'visual.head.**')
    return {
        **{f'{prefix}{source}': own for source, own in vision.items()},
        **dict.fromkeys(text),
    }


LAYOUTS: Tuple[Layout, ...] = tuple(
    Layout(
        name,
        'vit',
        (f'{prefix}blocks.{{i}}.{mark}',),
        _table(prefix, block),
        biases=False,
    )
    for name, mark, block in (
        ('eva02-clip', 'attn.inner_attn_ln.weight', AUTHORS),
        ('timm-eva02-clip', 'attn.norm.weight', TIMM),
    )
    for prefix in ('visual.trunk.', 'visual.', '')
)
