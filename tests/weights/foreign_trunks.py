"""The layouts of trunks of today, written by hand from our names."""

import torch

from mmvidadapt.models import ImageViT
from mmvidadapt.trunks.rows.dino import V2, V3
from mmvidadapt.trunks.rows.eva import DIALECT as EVA
from mmvidadapt.trunks.rows.perception_encoder import CORE as PE
from mmvidadapt.trunks.rows.perception_encoder import SPATIAL
from mmvidadapt.trunks.rows.siglip import DIALECT as SIGLIP

from .foreign import HF_CLIP, HF_VIT, TIMM, split, under
from .samples import replace

ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, patch_size=4)
REGISTERS, GIANT = dict(V2, registers=4), dict(V2, act='swiglu')
V3_PLUS = dict(V3, act='swiglu')
SPATIAL_G = dict(SPATIAL, layer_scale=True, cls_token=False)

SCALES = {
    'attn.out_proj.gamma': 'ls1.gamma',
    'mlp.c_proj.gamma': 'ls2.gamma',
}
NORM = {'ln_post': 'norm'}
GATES = {'attn.out_proj.gamma': 'gamma_1', 'mlp.c_proj.gamma': 'gamma_2'}
CLIP_SCALES = {
    'attn.out_proj.gamma': 'ls_1.gamma',
    'mlp.c_proj.gamma': 'ls_2.gamma',
}
LAMBDAS = {
    'attn.out_proj.gamma': 'layer_scale1.lambda1',
    'mlp.c_proj.gamma': 'layer_scale2.lambda1',
}
HF_DINO = {**HF_VIT, 'ln_1': 'norm1', 'ln_2': 'norm2'}
HF_MLP = {'mlp.c_fc': 'mlp.fc1', 'mlp.c_proj': 'mlp.fc2'}
V5 = {'attn.out_proj': 'attention.o_proj'}
HF_POOL = {'attn_pool.attn.': 'head.attention.', 'attn_pool': 'head'}


def native(dialect, **options):
    """Draw all weights of a tiny trunk, under our names."""
    torch.manual_seed(0)
    model = ImageViT(
        arch=options.pop('arch', ARCH),
        dialect=dialect,
        img_size=options.pop('img_size', 12),
        full_finetune=True,
        **options,
    )
    weights = {k: torch.randn_like(v) for k, v in model.named_parameters()}
    if not {**dict(key_bias=True), **dialect}['key_bias']:
        for name in [n for n in weights if n.endswith('in_proj_bias')]:
            q, k, v = weights[name].chunk(3)
            if 'blocks' in name:
                weights[name] = torch.cat([q, torch.zeros_like(k), v])
    return weights


def batched(weights):
    """Give tokens and positions the batch axis that most sources have."""
    tokens = ('cls_token', 'register', 'reg_token', 'storage', 'pos_embed')
    tokens += 'attn_pool.latent', 'probe', 'position_embeddings'
    return {
        name: value.view(1, -1, value.shape[-1])
        if any(token in name for token in tokens)
        else value
        for name, value in weights.items()
    }


def halves(weights, gate, up):
    """Split gated MLPs."""
    parts = {}
    for name, value in weights.items():
        block, first, kind = name.partition('mlp.c_fc.')
        if first and 'pool' not in name:
            parts[f'{block}{gate}.{kind}'], parts[f'{block}{up}.{kind}'] = (
                value.chunk(2)
            )
        else:
            parts[name] = value
    return parts


def split_pool(weights):
    """Split the projection of an attention pool as timm does."""
    parts = {}
    for name, value in weights.items():
        block, fused, kind = name.partition('attn_pool.attn.in_proj_')
        if fused:
            third = len(value) // 3
            parts[f'attn_pool.q.{kind}'] = value[:third]
            parts[f'attn_pool.kv.{kind}'] = value[third:]
        else:
            parts[name] = value
    names = {
        'attn_pool.attn.out_proj': 'attn_pool.proj',
        'attn_pool.layernorm': 'attn_pool.norm',
        'attn_pool.probe': 'attn_pool.latent',
    }
    return replace(parts, names)


def without_key_bias(weights, names):
    """Drop biases of keys, which are not there."""
    return {k: v for k, v in weights.items() if not k.endswith(names)}


def without_bias(weights):
    """Set all biases of queries and values to zero; drop them."""
    ours = {
        k: torch.zeros_like(v) if k.endswith('in_proj_bias') else v
        for k, v in weights.items()
    }
    bare = {k: v for k, v in ours.items() if not k.endswith('in_proj_bias')}
    return bare, ours


def dinov2(tokens='register_tokens', registers=True):
    """DINOv2 of the authors, with a mask token."""
    ours = native(REGISTERS if registers else V2)
    named = replace(ours, SCALES, TIMM, NORM, {'registers': tokens})
    return {**batched(named), 'mask_token': torch.ones(1, 16)}, ours


def dinov2_chunks():
    """The same without registers, as it lies in files of the training."""
    theirs, ours = dinov2(registers=False)
    chunks = {f'blocks.{i}.': f'blocks.{i}.{i}.' for i in range(2)}
    heads = {'dino_head.mlp.0.weight': torch.ones(2)}
    return {**under('backbone.', replace(theirs, chunks)), **heads}, ours


def dinov2_giant():
    """The authors' gated MLPs."""
    ours = native(GIANT)
    gated = {'mlp.c_fc': 'mlp.w12', 'mlp.c_proj.': 'mlp.w3.'}
    return batched(replace(ours, SCALES, gated, TIMM, NORM)), ours


def timm_dinov2():
    """Registers as timm has them: no position for the class token."""
    theirs, ours = dinov2('reg_token')
    del theirs['mask_token']
    ours['positional_embedding'][0] = 0
    theirs['pos_embed'] = theirs['pos_embed'][:, 1:]
    return theirs, ours


def _hf_dinov2(dialect, mlp, memory=False, gates=()):
    """DINOv2 of Hugging Face, on the disk or in memory."""
    ours = native(dialect)
    parts = [f'attention.attention.{p}' for p in ('query', 'key', 'value')]
    if memory:
        parts = [f'attention.{p}_proj' for p in 'qkv']
    named = split(halves(ours, *gates) if gates else ours, parts)
    first = {**LAMBDAS, **mlp, **(V5 if memory else {})}
    last = {'registers': 'embeddings.register_tokens'}
    return batched(replace(named, first, HF_DINO, last)), ours


def hf_dinov2():
    """With registers, on the disk."""
    return _hf_dinov2(REGISTERS, HF_MLP)


def hf_dinov2_memory():
    """With registers, in memory."""
    return _hf_dinov2(REGISTERS, HF_MLP, True)


def hf_dinov2_giant():
    """Gated, on the disk."""
    names = {'mlp.c_fc': 'mlp.weights_in', 'mlp.c_proj': 'mlp.weights_out'}
    return _hf_dinov2(GIANT, names)


def hf_dinov2_giant_memory():
    """Gated, in memory."""
    gates = 'mlp.gate_proj', 'mlp.up_proj'
    return _hf_dinov2(GIANT, {'mlp.c_proj': 'mlp.down_proj'}, True, gates)


def dinov3(gated=False):
    """DINOv3 of the authors: a bias of keys that does not count."""
    ours = native(V3_PLUS if gated else V3)
    named = halves(ours, 'mlp.w1', 'mlp.w2') if gated else ours
    mlp = {'mlp.c_proj.': 'mlp.w3.'} if gated else {}
    tokens = {'registers': 'storage_tokens'}
    named = replace(named, SCALES, mlp, TIMM, NORM, tokens)
    for name in [n for n in named if n.endswith('qkv.bias')]:
        mask = torch.ones_like(named[name])
        mask[16:32] = 0
        named[f'{name}_mask'] = mask
        named[name] = named[name].where(mask == 1, torch.nan)
    extra = dict.fromkeys(
        ('mask_token', 'rope_embed.periods', 'local_cls_norm.weight'),
        torch.ones(1, 16),
    )
    return {**batched(named), **extra}, ours


def dinov3_plus():
    """The authors' gated MLPs."""
    return dinov3(True)


def _timm_dinov3(ours, named):
    """Rename as timm does."""
    names = {'registers': 'reg_token'}
    return batched(replace(named, GATES, TIMM, NORM, names)), ours


def timm_dinov3():
    """Without any bias of queries and values, gated."""
    bare, ours = without_bias(native(V3_PLUS))
    return _timm_dinov3(ours, halves(bare, 'mlp.fc1_g', 'mlp.fc1_x'))


def timm_dinov3_qkvb():
    """With these biases."""
    ours = native(V3)
    named = {}
    for name, value in ours.items():
        block, fused, _ = name.partition('attn.in_proj_bias')
        if fused:
            q, _, v = value.chunk(3)
            named[f'{block}attn.q_bias'] = q
            named[f'{block}attn.v_bias'] = v
        else:
            named[name] = value
    return _timm_dinov3(ours, named)


def hf_dinov3(gated=False, memory=False):
    """DINOv3 of Hugging Face."""
    ours = native(V3_PLUS if gated else V3)
    named = split(ours, [f'attention.{p}_proj' for p in 'qkv'])
    named = without_key_bias(named, 'k_proj.bias')
    first = {'mlp.c_fc': 'mlp.up_proj', 'mlp.c_proj.': 'mlp.down_proj.'}
    if gated:
        named = halves(named, 'mlp.gate_proj', 'mlp.up_proj')
    names = {
        'transformer.resblocks': 'model.layer' if memory else 'layer',
        'ln_post': 'norm',
        'conv1': 'embeddings.patch_embeddings',
        'registers': 'embeddings.register_tokens',
    }
    named = replace(named, LAMBDAS, first, V5, names, HF_DINO)
    return {**batched(named), 'embeddings.mask_token': torch.ones(1)}, ours


def hf_dinov3_gated():
    """Gated, in memory."""
    return hf_dinov3(True, True)


def hf_siglip(prefix='vision_model.'):
    """SigLIP with its text tower."""
    ours = native(SIGLIP)
    pool = {k: v for k, v in ours.items() if 'pool' in k}
    rest = {k: v for k, v in ours.items() if k not in pool}
    pool = replace(pool, HF_POOL, {'c_fc': 'fc1', 'c_proj': 'fc2'})
    named = split(rest, [f'self_attn.{p}_proj' for p in 'qkv'])
    named = under(prefix, {**replace(named, HF_CLIP), **pool})
    name = f'{prefix}head.probe'
    named[name] = named[name].view(1, 1, -1)
    text = ('text_model.final_layer_norm.bias', 'logit_scale', 'logit_bias')
    return {**named, **dict.fromkeys(text if prefix else (), pool)}, ours


def hf_siglip_vision():
    """Its image tower alone."""
    return hf_siglip('')


def naflex():
    """SigLIP 2 NaFlex: patches are rows, channels last."""
    theirs, ours = hf_siglip()
    name = 'vision_model.embeddings.patch_embedding.weight'
    theirs[name] = theirs[name].permute(0, 2, 3, 1).flatten(1)
    return theirs, ours


def timm_siglip():
    """SigLIP of timm."""
    ours = native(SIGLIP)
    return batched(replace(split_pool(ours), TIMM, NORM)), ours


def eva02(prefix='visual.'):
    """EVA-02-CLIP of the authors, with its text tower."""
    ours = native(EVA)
    named = split(
        halves(ours, 'mlp.w1', 'mlp.w2'), [f'attn.{p}_proj' for p in 'qkv']
    )
    names = {
        'attn.q_proj.bias': 'attn.q_bias',
        'attn.v_proj.bias': 'attn.v_bias',
        'attn.out_proj.norm': 'attn.inner_attn_ln',
        'mlp.act.norm': 'mlp.ffn_ln',
        'mlp.c_proj': 'mlp.w3',
    }
    named = replace(without_key_bias(named, 'k_proj.bias'), names, TIMM, NORM)
    extra = ('rope.freqs_cos', 'blocks.0.attn.rope.freqs_sin', 'head.weight')
    named.update(dict.fromkeys(extra, torch.ones(2)))
    text = {'text.ln_final.weight': torch.ones(2)} if prefix else {}
    return {**under(prefix, batched(named)), **text}, ours


def timm_eva02(prefix=''):
    """EVA-02-CLIP of timm."""
    ours = native(EVA)
    named = split(
        halves(ours, 'mlp.fc1_g', 'mlp.fc1_x'),
        [f'attn.{p}_proj' for p in 'qkv'],
    )
    names = {'attn.out_proj.norm': 'attn.norm', 'mlp.act.norm': 'mlp.norm'}
    named = replace(without_key_bias(named, 'k_proj.bias'), names, TIMM, NORM)
    return under(prefix, batched(named)), ours


def open_clip_eva02():
    """EVA-02-CLIP of open_clip, around timm's."""
    theirs, ours = timm_eva02('visual.trunk.')
    return {**theirs, 'text.ln_final.weight': torch.ones(2)}, ours


def pe(dialect=PE, prefix='visual.', **others):
    """Perception Encoder of the authors, with projection and text tower."""
    ours = native(dialect)
    named = under(prefix, replace(ours, CLIP_SCALES))
    if f'{prefix}attn_pool.probe' in named:
        probe = named[f'{prefix}attn_pool.probe']
        named[f'{prefix}attn_pool.probe'] = probe.view(1, 1, -1)
        others[f'{prefix}proj'] = torch.ones(16, 5)
    text = {'token_embedding.weight': torch.ones(3, 2)} if prefix else {}
    return {**named, **others, **text}, ours


def pe_visual():
    """Its image tower alone."""
    return pe(prefix='')


def pe_spatial():
    """Without pool, projection, text and last norm."""
    ours = native(SPATIAL, img_size=32 * 4)
    return under('visual.', ours), ours


def pe_spatial_g():
    """With LayerScale, without a class token."""
    return pe(SPATIAL_G, '')


def timm_pe():
    """Perception Encoder of timm."""
    ours = native(PE)
    return batched(replace(split_pool(ours), SCALES, TIMM, NORM)), ours


def timm_pe_spatial_g():
    """Its spatial one."""
    ours = native(SPATIAL_G)
    return batched(replace(ours, GATES, TIMM)), ours


def open_clip():
    """OpenCLIP, DFN and MetaCLIP, under CLIP's names."""
    ours = native(dict(PE, rotary=None, pool='token'))
    return under('visual.', {**ours, 'proj': torch.ones(16, 5)}), ours


# The name of the layout, the dialect of a model for it, the weights.
LAYOUTS = (
    ('dinov2', REGISTERS, dinov2),
    ('dinov2', V2, dinov2_chunks),
    ('dinov2', GIANT, dinov2_giant),
    ('timm-dinov2', REGISTERS, timm_dinov2),
    ('hf-dinov2', REGISTERS, hf_dinov2),
    ('hf-dinov2', REGISTERS, hf_dinov2_memory),
    ('hf-dinov2', GIANT, hf_dinov2_giant),
    ('hf-dinov2', GIANT, hf_dinov2_giant_memory),
    ('dinov3', V3, dinov3),
    ('dinov3', V3_PLUS, dinov3_plus),
    ('timm-dinov3', V3_PLUS, timm_dinov3),
    ('timm-dinov3', V3, timm_dinov3_qkvb),
    ('hf-dinov3', V3, hf_dinov3),
    ('hf-dinov3', V3_PLUS, hf_dinov3_gated),
    ('hf-siglip', SIGLIP, hf_siglip),
    ('hf-siglip', SIGLIP, hf_siglip_vision),
    ('hf-siglip', SIGLIP, naflex),
    ('timm-siglip', SIGLIP, timm_siglip),
    ('eva02-clip', EVA, eva02),
    ('timm-eva02-clip', EVA, timm_eva02),
    ('timm-eva02-clip', EVA, open_clip_eva02),
    ('pe', PE, pe),
    ('pe', PE, pe_visual),
    ('openai-clip', SPATIAL, pe_spatial),
    ('pe', SPATIAL_G, pe_spatial_g),
    ('timm-pe', PE, timm_pe),
    ('timm-pe', SPATIAL_G, timm_pe_spatial_g),
    ('openai-clip', dict(PE, rotary=None, pool='token'), open_clip),
)
