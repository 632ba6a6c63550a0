"""Map names of DINOv3: the authors', timm's, Hugging Face's.

Keys have no bias. The authors' files have one, and a mask that says so.
"""

from typing import Tuple

from . import vit
from .dinov2 import BLOCK
from .tables import Layout, Table, in_blocks
from .vit import TIMM_VIT

DINOV3: Table = {
    **TIMM_VIT,
    **in_blocks(
        'blocks.{i}.',
        {
            **BLOCK,
            'attn.qkv.bias_mask': 'attn.in_proj_bias#mask',
            'mlp.w1.*': 'mlp.c_fc.*#gate',
            'mlp.w2.*': 'mlp.c_fc.*#up',
        },
    ),
    'storage_tokens': 'registers',
    'mask_token': None,
    'rope_embed.periods': None,
    'local_cls_norm.*': None,
}
TIMM_BLOCK = {  # of all its trunks with rotary positions
    **vit.TIMM_BLOCK,
    'attn.q_bias': 'attn.in_proj_bias#q',
    'attn.v_bias': 'attn.in_proj_bias#v',
    'mlp.fc1_g.*': 'mlp.c_fc.*#gate',
    'mlp.fc1_x.*': 'mlp.c_fc.*#up',
    'gamma_1': 'attn.out_proj.gamma',
    'gamma_2': 'mlp.c_proj.gamma',
}
TIMM_DINOV3: Table = {
    **TIMM_VIT,
    **in_blocks('blocks.{i}.', TIMM_BLOCK),
    'reg_token': 'registers',
}
HF_BLOCK = {
    'norm1.*': 'ln_1.*',
    'norm2.*': 'ln_2.*',
    'attention.q_proj.*': 'attn.in_proj_*#q',
    'attention.k_proj.*': 'attn.in_proj_*#k',
    'attention.v_proj.*': 'attn.in_proj_*#v',
    'attention.o_proj.*': 'attn.out_proj.*',
    'layer_scale1.lambda1': 'attn.out_proj.gamma',
    'layer_scale2.lambda1': 'mlp.c_proj.gamma',
}
MLP = {'mlp.up_proj.*': 'mlp.c_fc.*', 'mlp.down_proj.*': 'mlp.c_proj.*'}
GATED = {
    'mlp.gate_proj.*': 'mlp.c_fc.*#gate',
    'mlp.up_proj.*': 'mlp.c_fc.*#up',
    'mlp.down_proj.*': 'mlp.c_proj.*',
}


def _hugging_face(block: Table, prefix: str) -> Table:
    """Build the table of Hugging Face for one kind of MLP."""
    return {
        'embeddings.cls_token': 'class_embedding',
        'embeddings.register_tokens': 'registers',
        'embeddings.mask_token': None,
        'embeddings.patch_embeddings.*': 'conv1.*',
        'norm.*': 'ln_post.*',
        **in_blocks(prefix, {**HF_BLOCK, **block}),
    }


LAYOUTS: Tuple[Layout, ...] = (
    Layout('dinov3', 'vit', ('storage_tokens',), DINOV3, biases=False),
    Layout(
        'timm-dinov3',
        'vit',
        ('reg_token', 'blocks.{i}.gamma_1'),
        TIMM_DINOV3,
        biases=False,
    ),
    *(
        Layout(
            'hf-dinov3',
            'vit',
            (
                'embeddings.register_tokens',
                f'{prefix}attention.q_proj.weight',
                *gate,
            ),
            _hugging_face(block, prefix),
            biases=False,
        )
        # On the disk, and as transformers 5 names them in memory.
        for prefix in ('layer.{i}.', 'model.layer.{i}.')
        for block, gate in (
            (GATED, (f'{prefix}mlp.gate_proj.weight',)),
            (MLP, ()),
        )
    ),
)
