"""Map names of DINOv2: the authors', timm's, Hugging Face's."""

from typing import Tuple

from .tables import Layout, Table, in_blocks
from .vit import HF_MEMORY_BLOCK, TIMM_BLOCK, TIMM_VIT

BLOCK = {
    **TIMM_BLOCK,
    'mlp.w12.*': 'mlp.c_fc.*',  # gate and up
    'mlp.w3.*': 'mlp.c_proj.*',
    'ls1.gamma': 'attn.out_proj.gamma',
    'ls2.gamma': 'mlp.c_proj.gamma',
}
DINOV2: Table = {
    **TIMM_VIT,
    **in_blocks('blocks.{i}.', BLOCK),
    **in_blocks('blocks.{j}.{i}.', BLOCK),  # as it was trained: in chunks
    'register_tokens': 'registers',
    'mask_token': None,
}
TIMM_REGISTERS: Table = {
    **DINOV2,
    'reg_token': 'registers',
    'pos_embed': 'positional_embedding#patches',
}
HF_DINOV2: Table = {
    'embeddings.cls_token': 'class_embedding',
    'embeddings.register_tokens': 'registers',
    'embeddings.mask_token': None,
    'embeddings.position_embeddings': 'positional_embedding',
    'embeddings.patch_embeddings.projection.*': 'conv1.*',
    'layernorm.*': 'ln_post.*',
    **in_blocks(
        'encoder.layer.{i}.',
        {
            'norm1.*': 'ln_1.*',
            'norm2.*': 'ln_2.*',
            'attention.attention.query.*': 'attn.in_proj_*#q',
            'attention.attention.key.*': 'attn.in_proj_*#k',
            'attention.attention.value.*': 'attn.in_proj_*#v',
            'attention.output.dense.*': 'attn.out_proj.*',
            **HF_MEMORY_BLOCK,
            'mlp.weights_in.*': 'mlp.c_fc.*',
            'mlp.weights_out.*': 'mlp.c_proj.*',
            'mlp.gate_proj.*': 'mlp.c_fc.*#gate',
            'mlp.up_proj.*': 'mlp.c_fc.*#up',
            'mlp.down_proj.*': 'mlp.c_proj.*',
            'layer_scale1.lambda1': 'attn.out_proj.gamma',
            'layer_scale2.lambda1': 'mlp.c_proj.gamma',
        },
    ),
}

LAYOUTS: Tuple[Layout, ...] = (
    Layout(
        'timm-dinov2',
        'vit',
        ('reg_token', 'blocks.{i}.ls1.gamma'),
        TIMM_REGISTERS,
    ),
    Layout('dinov2', 'vit', ('cls_token', 'blocks.{i}.ls1.gamma'), DINOV2),
    Layout('dinov2', 'vit', ('cls_token', 'blocks.{j}.{i}.ls1.gamma'), DINOV2),
    Layout(
        'hf-dinov2',
        'vit',
        (
            'embeddings.position_embeddings',
            'encoder.layer.{i}.layer_scale1.lambda1',
        ),
        HF_DINOV2,
    ),
)
