"""Map names of V-JEPA 2 and 2.1: the authors', Hugging Face's, and probes.

The predictor, which both have beside the encoder, has no place here. In the
authors' files the trunk is one of several models, see ``NESTS`` of
:mod:`mmvidadapt.weights.files.readers`; those of 2.1 hold what embeds images,
too, and norms behind three more of the blocks.
"""

from typing import Any, Dict, Optional, Tuple

from .tables import NATIVE, Layout, Table, in_blocks
from .vit import TIMM_BLOCK

MLP = {'mlp.fc1.*': 'mlp.c_fc.*', 'mlp.fc2.*': 'mlp.c_proj.*'}
HF_TRUNK: Table = {
    'embeddings.patch_embeddings.proj.*': 'conv1.*',
    'layernorm.*': 'ln_post.*',
    **in_blocks(
        'layer.{i}.',
        {
            'norm1.*': 'ln_1.*',
            'norm2.*': 'ln_2.*',
            'attention.query.*': 'attn.in_proj_*#q',
            'attention.key.*': 'attn.in_proj_*#k',
            'attention.value.*': 'attn.in_proj_*#v',
            'attention.proj.*': 'attn.out_proj.*',
            **MLP,
        },
    ),
}
HF_SELF = {
    'layer_norm1.*': 'ln_1.*',
    'layer_norm2.*': 'ln_2.*',
    'self_attn.q_proj.*': 'attn.in_proj_*#q',
    'self_attn.k_proj.*': 'attn.in_proj_*#k',
    'self_attn.v_proj.*': 'attn.in_proj_*#v',
    'self_attn.out_proj.*': 'attn.out_proj.*',
    **MLP,
}
HF_CROSS = {
    'layer_norm1.*': 'ln_1.*',
    'layer_norm2.*': 'ln_2.*',
    'cross_attn.q_proj.*': 'attn.in_proj_*#q',
    'cross_attn.k_proj.*': 'attn.in_proj_*#k',
    'cross_attn.v_proj.*': 'attn.in_proj_*#v',
    **MLP,
}
CROSS = {
    'norm1.*': 'ln_1.*',
    'norm2.*': 'ln_2.*',
    'xattn.q.*': 'attn.in_proj_*#q',
    'xattn.kv.*': 'attn.in_proj_*#kv',
    **MLP,
}


def _pooler(selves: str, of_self: Table, cross: str, of_cross: Table) -> Table:
    """Name an attentive probe by the names of its two kinds of blocks."""
    return {
        'pooler.query_tokens': 'attn_pool.query_tokens',
        **{
            f'pooler.{selves}.{{i}}.{source}': f'attn_pool.blocks.{{i}}.{own}'
            for source, own in of_self.items()
        },
        **{
            f'pooler.{cross}.{source}': f'attn_pool.cross.{own}'
            for source, own in of_cross.items()
        },
    }


HF: Table = {
    **{
        f'{prefix}encoder.{source}': own
        for prefix in ('', 'vjepa2.')
        for source, own in HF_TRUNK.items()
    },
    **_pooler(
        'self_attention_layers', HF_SELF, 'cross_attention_layer', HF_CROSS
    ),
    **dict.fromkeys(('predictor.**', 'vjepa2.predictor.**', 'classifier.*')),
}
PROBE: Table = _pooler('blocks', TIMM_BLOCK, 'cross_attention_block', CROSS)
VJEPA: Table = {
    'patch_embed.proj.*': 'conv1.*',
    'norm.*': 'ln_post.*',
    'pos_embed': None,  # of the time before rotary positions
    **in_blocks('blocks.{i}.', TIMM_BLOCK),
}
VJEPA21: Table = {
    **VJEPA,
    'norms_block.3.*': 'ln_post.*',
    'norms_block.{i}.*': 'ln_taps.{i}.*',
    'video_mod_embed': 'modality_embedding',
    'img_mod_embed': 'image.modality_embedding',
    'patch_embed_img.proj.*': 'image.conv1.*',
}
BLOCK = 'transformer.resblocks.{i}.attn.in_proj_weight'
LAYOUTS: Tuple[Layout, ...] = (
    *(
        Layout(
            'hf-vjepa2',
            'vjepa',
            (
                f'{prefix}encoder.embeddings.patch_embeddings.proj.weight',
                f'{prefix}encoder.layer.{{i}}.attention.query.weight',
            ),
            HF,
            official=True,
        )
        for prefix in ('', 'vjepa2.')
    ),
    *(  # without the trunk
        Layout(name, 'vjepa', ('pooler.query_tokens', mark), table, True)
        for name, mark, table in (
            (
                'hf-vjepa2-probe',
                'pooler.cross_attention_layer.layer_norm1.weight',
                HF,
            ),
            (
                'vjepa2-probe',
                'pooler.cross_attention_block.norm1.weight',
                PROBE,
            ),
        )
    ),
    Layout('vjepa2.1', 'vjepa', ('video_mod_embed',), VJEPA21),
    Layout(
        'vjepa2',
        'vjepa',
        ('patch_embed.proj.weight', 'blocks.{i}.attn.qkv.bias', 'norm.weight'),
        VJEPA,
        without=('cls_token',),
        tubelets=True,
    ),
    Layout(
        'native-vjepa2',
        'vjepa',
        ('conv1.weight', BLOCK, 'ln_post.weight'),
        NATIVE,
        without=('positional_embedding', 'class_embedding'),
        tubelets=True,
    ),
    Layout('native-vjepa2', 'vjepa', ('attn_pool.query_tokens',), NATIVE),
)
HEADS = ('classifier.', 'linear.')
PREDICTORS = ('predictor.', 'vjepa2.predictor.')


def name_parts(weights: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Name the parts of an attentive probe, with its trunk or without.

    What is inside the backbone keeps its official name.

    Args:
        weights (Dict[str, Any]): What is about to be loaded.

    Returns:
        Dict[str, Any], optional: Under our names of parts; None for others.
    """
    if 'pooler.query_tokens' not in weights:
        return None
    named = {}
    for name, value in weights.items():
        if name.startswith(HEADS):
            name = f'cls_head.fc_cls.{name.partition(".")[2]}'
        elif not name.startswith(PREDICTORS):
            name = f'backbone.{name}'
        else:
            continue
        named[name] = value
    return named
