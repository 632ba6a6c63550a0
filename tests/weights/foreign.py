"""The layouts of other projects, written by hand from our names."""

import torch

from .samples import aim, layer, random_weights, replace, swin, vit

# Pieces of our names and theirs, replaced in this order.
TIMM = {
    'transformer.resblocks': 'blocks',
    'ln_1': 'norm1',
    'ln_2': 'norm2',
    'attn.in_proj_': 'attn.qkv.',
    'attn.out_proj': 'attn.proj',
    'c_fc': 'fc1',
    'c_proj': 'fc2',
    'conv1': 'patch_embed.proj',
    'ln_pre': 'norm_pre',
    'class_embedding': 'cls_token',
    'positional_embedding': 'pos_embed',
}
MMPRETRAIN = {
    'transformer.resblocks': 'layers',
    'ln_post': 'ln1',
    'ln_1': 'ln1',
    'ln_2': 'ln2',
    'attn.in_proj_': 'attn.qkv.',
    'attn.out_proj': 'attn.proj',
    'mlp.c_fc': 'ffn.layers.0.0',
    'mlp.c_proj': 'ffn.layers.1',
    'conv1': 'patch_embed.projection',
    'ln_pre': 'pre_norm',
    'class_embedding': 'cls_token',
    'positional_embedding': 'pos_embed',
}
HF_CLIP = {
    'transformer.resblocks': 'encoder.layers',
    'ln_1': 'layer_norm1',
    'ln_2': 'layer_norm2',
    'attn.out_proj': 'self_attn.out_proj',
    'c_fc': 'fc1',
    'c_proj': 'fc2',
    'conv1': 'embeddings.patch_embedding',
    'ln_pre': 'pre_layrnorm',
    'ln_post': 'post_layernorm',
    'class_embedding': 'embeddings.class_embedding',
    'positional_embedding': 'embeddings.position_embedding.weight',
}
HF_VIT = {
    'transformer.resblocks': 'encoder.layer',
    'ln_1': 'layernorm_before',
    'ln_2': 'layernorm_after',
    'attn.out_proj': 'attention.output.dense',
    'mlp.c_fc': 'intermediate.dense',
    'mlp.c_proj': 'output.dense',
    'conv1': 'embeddings.patch_embeddings.projection',
    'ln_post': 'layernorm',
    'class_embedding': 'embeddings.cls_token',
    'positional_embedding': 'embeddings.position_embeddings',
}
AIM = {
    'mlp_adapter': 'MLP_Adapter',
    's_adapter': 'S_Adapter',
    't_adapter': 'T_Adapter',
    '.down.': '.D_fc1.',
    '.up.': '.D_fc2.',
}
AIM_SWIN = {
    'mlp_adapter': 'S_Adapter',
    's_adapter': 'S_Adapter2',
    't_adapter': 'T_Adapter',
    '.down.': '.D_fc1.',
    '.up.': '.D_fc2.',
}


def under(prefix, weights):
    """Put a prefix before every name."""
    return {prefix + name: value for name, value in weights.items()}


def batched(weights, cls, pos):
    """Give the embeddings the batch axis that most sources have."""
    return {**weights, cls: weights[cls][None, None], pos: weights[pos][None]}


def split(weights, names):
    """Split the fused projection into query, key and value."""
    parts = {}
    for name, value in weights.items():
        block, fused, kind = name.partition('attn.in_proj_')
        if not fused:
            parts[name] = value
            continue
        for part, third in zip(names, value.chunk(3)):
            parts[f'{block}{part}.{kind}'] = third
    return parts


def as_hf_clip(trunk):
    """Name a trunk as the image tower of a CLIPModel."""
    parts = split(trunk, [f'self_attn.{p}_proj' for p in 'qkv'])
    return under('vision_model.', replace(parts, HF_CLIP))


def as_hf_vit(trunk, prefix='vit.'):
    """Name a trunk as that of a ViTForImageClassification."""
    parts = [f'attention.attention.{p}' for p in ('query', 'key', 'value')]
    cls, pos = 'embeddings.cls_token', 'embeddings.position_embeddings'
    named = batched(replace(split(trunk, parts), HF_VIT), cls, pos)
    return under(prefix, named)


def as_timm(trunk):
    """Name a trunk as timm does."""
    named = replace(trunk, TIMM, {'ln_post': 'norm'})
    return batched(named, 'cls_token', 'pos_embed')


def as_mmpretrain(trunk):
    """Name a trunk as mmpretrain does."""
    named = replace(trunk, MMPRETRAIN)
    return under('backbone.', batched(named, 'cls_token', 'pos_embed'))


def openai_clip():
    """Image tower, text tower with the same names, integer entries."""
    text = {k: v + 1 for k, v in vit().items() if 'resblocks' in k}
    others = random_weights(
        {
            'positional_embedding': (7, 6),
            'text_projection': (6, 5),
            'token_embedding.weight': (11, 6),
            'logit_scale': (),
            'logit_bias': (),
            'attn_mask': (7, 7),
            'text.positional_embedding': (7, 6),
            'visual.proj': (8, 5),
            **layer('ln_final', 6),
        }
    )
    whole = {
        key: torch.tensor(77)
        for key in ('input_resolution', 'context_length', 'vocab_size')
    }
    return {**text, **under('visual.', vit()), **others, **whole}, vit()


def clip_visual():
    """The image tower alone."""
    return {**vit(), 'proj': torch.randn(8, 5)}, vit()


def hf_clip():
    """A CLIPModel."""
    others = random_weights(
        {
            'vision_model.embeddings.position_ids': (1, 10),
            'text_model.encoder.layers.0.self_attn.q_proj.weight': (6, 6),
            'text_model.embeddings.position_embedding.weight': (7, 6),
            'text_projection.weight': (5, 6),
            'visual_projection.weight': (5, 8),
            'logit_scale': (),
            **layer('classifier', 3, 8),
        }
    )
    return {**as_hf_clip(vit()), **others}, vit()


def hf_vit(prefix='vit.'):
    """A ViTForImageClassification."""
    native = vit(pre_norm=False, patch_bias=True)
    others = random_weights(
        {
            f'{prefix}embeddings.mask_token': (1, 1, 8),
            **layer(f'{prefix}pooler.dense', 8, 8),
            **layer('classifier', 3, 8),
        }
    )
    return {**as_hf_vit(native, prefix), **others}, native


def timm_vit():
    """A ViT of timm with its head."""
    native = vit(patch_bias=True)
    others = {**layer('head', 3, 8), **layer('pre_logits.fc', 8, 8)}
    return {**as_timm(native), **random_weights(others)}, native


def timm_clip():
    """A CLIP as timm keeps it, its projection as a classifier."""
    head = random_weights(layer('head', 5, 8))
    head['head.bias'] = torch.zeros(5)
    return {**as_timm(vit()), **head}, vit()


def mmpretrain_vit():
    """A classifier of mmpretrain."""
    native = vit(patch_bias=True)
    others = random_weights(layer('head.layers.head', 3, 8))
    return {**as_mmpretrain(native), **others}, native


def aim_clip():
    """The official AIM recognizer on CLIP."""
    named = under('backbone.', replace(aim(), AIM))
    head = random_weights(layer('cls_head.fc_cls', 3, 8))
    return {**named, **head}, aim()


def aim_imagenet():
    """The official AIM backbone on an ImageNet ViT."""
    native = aim(pre_norm=False, patch_bias=True)
    named = replace(native, TIMM, AIM)
    return batched(named, 'cls_token', 'pos_embed'), native


def native_recognizer():
    """A checkpoint of ours."""
    head = random_weights(layer('cls_head.fc_cls', 3, 8))
    return {**under('backbone.', aim()), **head}, aim()


def buffers():
    """What Microsoft's Swin keeps beside its parameters."""
    return {
        'layers.0.blocks.1.attn_mask': torch.randn(4, 9, 9),
        'layers.0.blocks.0.attn.relative_position_index': torch.arange(9),
    }


def aim_swin():
    """The official AIM backbone on Swin."""
    native = {**swin(adapters=True), 'temporal_embedding': torch.ones(1, 3, 8)}
    coords = {'layers.0.blocks.0.attn.t_relative_coords': torch.arange(9)}
    return {**replace(native, AIM_SWIN), **buffers(), **coords}, native


def swin_2d():
    """An image Swin: flat patches, inflated on the way."""
    native, patch = swin(), torch.randn(8, 3, 4, 4)
    image = {**native, 'patch_embed.proj.weight': patch}
    native['patch_embed.proj.weight'] = torch.stack([patch / 2] * 2, dim=2)
    return {
        **image,
        **random_weights(layer('head', 3, 16)),
        **buffers(),
    }, native
