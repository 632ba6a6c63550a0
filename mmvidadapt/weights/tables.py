"""How every known source names the parameters of a model: data only.

A table maps names of the source to ours, the first match counts, and None
marks what a video model has no use for. In a name ``{i}`` and ``{j}`` stand
for a number, ``*`` for ``weight`` or ``bias`` and ``**`` for anything, each at
most once; a name of ours that ends in ``#q``, ``#k`` or ``#v`` is a third of a
fused tensor.
"""

from typing import Dict, NamedTuple, Optional, Tuple

Table = Dict[str, Optional[str]]


class Layout(NamedTuple):
    """A source of weights: its model, the names that tell it, its table."""

    name: str
    model: str
    marks: Tuple[str, ...]
    table: Table


def _blocks(prefix: str, table: Dict[str, str]) -> Table:
    """Put the names of a block under those of all blocks."""
    return {
        prefix + source: 'transformer.resblocks.{i}.' + own
        for source, own in table.items()
    }


def _same(*names: str) -> Table:
    """Keep names as they are."""
    return {name: name for name in names}


CLIP_BLOCK = _same(
    'ln_1.*',
    'ln_2.*',
    'attn.in_proj_*',
    'attn.out_proj.*',
    'mlp.c_fc.*',
    'mlp.c_proj.*',
)
CLIP_TRUNK: Table = {
    **_same(
        'class_embedding',
        'positional_embedding',
        'conv1.*',
        'ln_pre.*',
        'ln_post.*',
    ),
    **_blocks('transformer.resblocks.{i}.', CLIP_BLOCK),
}
CLIP_VISUAL: Table = {**CLIP_TRUNK, 'proj': None}
# The text tower has the names of the image tower without `visual.`.
OPENAI_CLIP: Table = {
    **{f'visual.{source}': own for source, own in CLIP_VISUAL.items()},
    **dict.fromkeys(
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
    ),
}
HF_CLIP: Table = {
    'vision_model.embeddings.class_embedding': 'class_embedding',
    'vision_model.embeddings.patch_embedding.*': 'conv1.*',
    'vision_model.embeddings.position_embedding.*': 'positional_embedding',
    'vision_model.embeddings.position_ids': None,
    'vision_model.pre_layrnorm.*': 'ln_pre.*',  # their spelling
    'vision_model.post_layernorm.*': 'ln_post.*',
    **_blocks(
        'vision_model.encoder.layers.{i}.',
        {
            'layer_norm1.*': 'ln_1.*',
            'layer_norm2.*': 'ln_2.*',
            'self_attn.q_proj.*': 'attn.in_proj_*#q',
            'self_attn.k_proj.*': 'attn.in_proj_*#k',
            'self_attn.v_proj.*': 'attn.in_proj_*#v',
            'self_attn.out_proj.*': 'attn.out_proj.*',
            'mlp.fc1.*': 'mlp.c_fc.*',
            'mlp.fc2.*': 'mlp.c_proj.*',
        },
    ),
    **dict.fromkeys(
        (
            'text_model.**',
            'text_projection.weight',
            'visual_projection.weight',
            'logit_scale',
            'classifier.*',
        )
    ),
}
HF_VIT: Table = {
    'embeddings.cls_token': 'class_embedding',
    'embeddings.position_embeddings': 'positional_embedding',
    'embeddings.patch_embeddings.projection.*': 'conv1.*',
    'embeddings.mask_token': None,
    'layernorm.*': 'ln_post.*',
    **_blocks(
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
    **_blocks('blocks.{i}.', TIMM_BLOCK),
}
TIMM_VIT: Table = {
    **TIMM_TRUNK,
    'norm_pre.*': 'ln_pre.*',
    'norm.*': 'ln_post.*',
    **dict.fromkeys(('head.*', 'pre_logits.**')),
}
MMPRETRAIN_VIT: Table = {
    'cls_token': 'class_embedding',
    'pos_embed': 'positional_embedding',
    'patch_embed.projection.*': 'conv1.*',
    'pre_norm.*': 'ln_pre.*',
    'ln1.*': 'ln_post.*',
    **_blocks(
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
AIM_ADAPTERS = {
    f'{theirs}.{fc}.*': f'{ours}.{own}.*'
    for theirs, ours in (
        ('T_Adapter', 't_adapter'),
        ('T_Adapter_in', 't_adapter_in'),
        ('S_Adapter', 's_adapter'),
        ('MLP_Adapter', 'mlp_adapter'),
    )
    for fc, own in (('D_fc1', 'down'), ('D_fc2', 'up'))
}
AIM_CLIP: Table = {
    **CLIP_TRUNK,
    **_same('temporal_embedding'),
    **_blocks('transformer.resblocks.{i}.', AIM_ADAPTERS),
}
AIM_IMAGENET: Table = {
    **TIMM_TRUNK,
    **_same('temporal_embedding', 'ln_post.*'),
    **_blocks('blocks.{i}.', AIM_ADAPTERS),
}
SWIN_BLOCK = 'layers.{i}.blocks.{j}.'
SWIN_TRUNK: Table = {
    **_same(
        'patch_embed.proj.*',
        'patch_embed.norm.*',
        'norm.*',
        'layers.{i}.downsample.norm.*',
        'layers.{i}.downsample.reduction.weight',
    ),
    **_same(
        *(
            SWIN_BLOCK + name
            for name in (
                'norm1.*',
                'norm2.*',
                'attn.qkv.*',
                'attn.proj.*',
                'mlp.fc1.*',
                'mlp.fc2.*',
                'attn.relative_position_bias_table',
            )
        )
    ),
    **dict.fromkeys(('**.relative_position_index', '**.attn_mask')),
}
SWIN_2D: Table = {**SWIN_TRUNK, 'head.*': None}
# In their Swin, S_Adapter is the joint adapter and S_Adapter2 the spatial.
AIM_SWIN: Table = {
    **SWIN_TRUNK,
    **_same(
        'temporal_embedding', f'{SWIN_BLOCK}attn.temporal_position_bias_table'
    ),
    '**.t_relative_coords': None,
    **{
        f'{SWIN_BLOCK}{theirs}.{fc}.*': f'{SWIN_BLOCK}{ours}.{own}.*'
        for theirs, ours in (
            ('T_Adapter', 't_adapter'),
            ('S_Adapter2', 's_adapter'),
            ('S_Adapter', 'mlp_adapter'),
        )
        for fc, own in (('D_fc1', 'down'), ('D_fc2', 'up'))
    },
}
# Our own checkpoints may come from any method; loading is strict anyway.
NATIVE: Table = _same('**')

# The first layout whose marks are all there is the one.
LAYOUTS: Tuple[Layout, ...] = (
    Layout('openai-clip', 'vit', ('visual.class_embedding',), OPENAI_CLIP),
    Layout(
        'hf-clip', 'vit', ('vision_model.embeddings.class_embedding',), HF_CLIP
    ),
    Layout(
        'hf-vit',
        'vit',
        (
            'embeddings.cls_token',
            'encoder.layer.{i}.attention.attention.query.*',
        ),
        HF_VIT,
    ),
    Layout(
        'aim-clip',
        'vit',
        ('conv1.weight', 'transformer.resblocks.{i}.**_Adapter.D_fc1.*'),
        AIM_CLIP,
    ),
    Layout(
        'aim-imagenet',
        'vit',
        ('cls_token', 'blocks.{i}.**_Adapter.D_fc1.*'),
        AIM_IMAGENET,
    ),
    Layout('aim-swin', 'swin', (f'{SWIN_BLOCK}S_Adapter2.D_fc1.*',), AIM_SWIN),
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
    Layout('native-swin', 'swin', (f'{SWIN_BLOCK}**_adapter.down.*',), NATIVE),
    Layout(
        'native-swin',
        'swin',
        (f'{SWIN_BLOCK}attn.temporal_position_bias_table',),
        NATIVE,
    ),
    Layout(
        'swin-2d',
        'swin',
        (
            'patch_embed.proj.weight',
            f'{SWIN_BLOCK}attn.relative_position_bias_table',
        ),
        SWIN_2D,
    ),
)

# What stands around the weights of a backbone, and may be left out with it.
WRAPPERS: Dict[str, Tuple[str, ...]] = {
    'backbone.': ('cls_head.', 'head.', 'neck.', 'data_preprocessor.'),
    'vit.': ('classifier.',),
}

# Parts that other models have and ours do not.
FOREIGN: Dict[str, str] = {
    '**fc_norm.*': 'a norm after mean pooling in place of the last norm',
    '**dist_token': 'a distillation token',
    '**.ls{i}.gamma': 'layer scale; multiply it into the projection before it',
    '**.gamma{i}.*': 'layer scale; multiply it into the projection before it',
    '**ln2.*': 'a norm of pooled features',
}
