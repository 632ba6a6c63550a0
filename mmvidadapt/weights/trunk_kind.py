"""Recognize families of image trunks, and refuse one in another's place.

Most of them differ in names or shapes, and would be refused for these; a
trunk with rotary positions has nothing to show for them in its weights, and
would load as another one that happens to have the same names.
"""

import re
from typing import Any, Mapping, Optional

from torch import Tensor

# What messages call them, and a trunk of each that users may name.
KINDS = dict(
    clip=('CLIP', 'openai/ViT-B-16'),
    vit=('an ImageNet ViT', 'timm/jx_vit_base_p16_224'),
    dinov2=('DINOv2', 'facebook/dinov2-base'),
    dinov3=('DINOv3', 'facebook/dinov3-vitb16-pretrain-lvd1689m'),
    siglip=('SigLIP', 'google/siglip2-base-patch16-224'),
    eva02=('EVA-02-CLIP', 'timm/eva02_base_patch16_clip_224.merged2b'),
    pe=('Perception Encoder', 'facebook/PE-Core-B16-224'),
)
ROTARY = ('dinov3', 'eva02', 'pe')
# What a state dict of ours says of them: the place of the kind in ROTARY.
MARK = 'rotary_mark'
SPATIAL = 1 + 32 * 32  # positions of all spatial PE, and of no CLIP
FIRST = 'transformer.resblocks.0.'
BLOCK = re.compile(r'transformer\.resblocks\.\d+\.ln_1\.weight')


def kind_of_weights(weights: Mapping[str, Tensor]) -> Optional[str]:
    """Classify an image trunk by the names of its weights.

    Args:
        weights (Mapping[str, Tensor]): All its weights, under our names.

    Returns:
        str, optional: Key of :data:`KINDS`; None for what is no image trunk
        alone, and for a CLIP without its last norm, which some methods leave
        out: but for its grid it is like a spatial Perception Encoder.
    """
    if MARK in weights:
        return ROTARY[int(weights[MARK])]
    patches, first = weights.get('conv1.weight'), f'{FIRST}ln_1.weight'
    if patches is None or patches.ndim != 4 or first not in weights:
        return None
    if any(name.startswith('decoder.') for name in weights):
        return None
    positions = weights.get('positional_embedding', ())
    pre_norm, scale = 'ln_pre.weight' in weights, f'{FIRST}attn.out_proj.gamma'
    registers, cls_token = (
        name in weights for name in ('registers', 'class_embedding')
    )
    normed = 'ln_post.weight' in weights
    pe = 'attn_pool.probe' in weights or scale in weights or not cls_token
    tests = dict(
        eva02=f'{FIRST}attn.out_proj.norm.weight' in weights,
        dinov3=registers and not len(positions),
        pe=pre_norm and (pe or (not normed and len(positions) == SPATIAL)),
        siglip=not cls_token,
        dinov2=registers or scale in weights,
        clip=pre_norm and normed,
        vit=not pre_norm,
    )
    return next((kind for kind, found in tests.items() if found), None)


def kind_of_traits(traits: Mapping[str, Any]) -> str:
    """Classify the trunk that a model is made for by its dialect.

    Args:
        traits (Mapping[str, Any]): A whole dialect, with all its keys.

    Returns:
        str: Key of :data:`KINDS`.
    """
    if traits['rotary'] is not None:
        return traits['rotary']
    if not traits['cls_token']:
        return 'siglip'
    if traits['layer_scale'] or traits['registers']:
        return 'dinov2'
    return 'clip' if traits['pre_norm'] else 'vit'


def compare_trunks(
    model: Any, weights: Mapping[str, Tensor], kind: Optional[str] = None
) -> str:
    """Name the trunk of weights and that of a model, if they differ.

    Args:
        model (nn.Module): Its ``trunk_kind`` is its kind, if it has one.
        weights (Mapping[str, Tensor]): Under our names.
        kind (str, optional): That of the weights. Defaults to None: what
            their names say.

    Returns:
        str: A sentence with a way out, or ''.
    """
    own = getattr(model, 'trunk_kind', None)
    given = kind or kind_of_weights(weights)
    state = model.state_dict()
    if own is None or given is None or state['conv1.weight'].ndim != 4:
        return ''
    made_for, found = _describe(own, state), _describe(given, weights)
    if made_for == found:
        return ''
    row = getattr(model, 'published', None)
    named = '' if row is None else f', trunk={row.name!r}'
    example = f'trunk={KINDS[given][1]!r}, say, or ' * (own != given)
    return (
        f'The weights are those of {found}; {type(model).__name__} is built '
        f'for {made_for}{named}. Give {example}the trunk that they are from.'
    )


def _describe(kind: str, weights: Mapping[str, Tensor]) -> str:
    """Write a trunk's kind and sizes down."""
    width, _, height, _ = weights['conv1.weight'].shape
    blocks = sum(map(bool, map(BLOCK.fullmatch, weights)))
    parts = [f'{width} channels', f'{blocks} blocks', f'patches of {height}']
    layers = (f'{FIRST}mlp.{layer}.weight' for layer in ('c_fc', 'c_proj'))
    first, last = map(weights.get, layers)
    if first is not None and last is not None:
        gated = len(first) == 2 * last.shape[1]
        parts.append('a gated MLP' if gated else 'a plain MLP')
    registers = weights.get('registers')
    if registers is not None:
        parts.append(f'{len(registers)} registers')
    if 'class_embedding' not in weights:
        parts.append('no class token')
    if kind == 'pe' and 'ln_post.weight' not in weights:
        parts.append('no last norm')
    return f'{KINDS[kind][0]} ({", ".join(parts)})'


def refuse_other_rotary(
    model: Any, weights: Mapping[str, Tensor], kind: Optional[str] = None
) -> None:
    """Refuse weights whose rotary positions are not those of a model.

    Args:
        model (nn.Module): See :func:`compare_trunks`.
        weights (Mapping[str, Tensor]): See there.
        kind (str, optional): Key of :data:`KINDS`, where the names of the
            source tell more than ours. Defaults to None.

    Raises:
        ValueError: With both trunks and a way out.
    """
    own = getattr(model, 'trunk_kind', None)
    given = kind or kind_of_weights(weights)
    if own is None or given is None or own == given:
        return
    if own in ROTARY or given in ROTARY:
        raise ValueError(
            f'{compare_trunks(model, weights, kind)} Their positions enter '
            'queries and keys in another way, which no name or shape shows.'
        )
