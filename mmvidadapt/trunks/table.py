"""One word names a trunk: its sizes, pixels, weights and licence.

``backbone=dict(type='AIM', trunk='openai/ViT-B-16', num_frames=8)`` brings
what the row says. ``arch``, ``dialect``, ``pretrained`` and ``img_size`` keep
working without it; beside it

- ``pretrained`` takes the place of the row's weights: a path, another alias,
  or None for random ones;
- ``img_size`` takes the place of the row's image size, and positions are
  resized to it;
- ``arch`` and ``dialect`` must be the row's, or are refused;
- other ``arch`` or ``dialect`` together with ``pretrained`` take the place of
  the trunk: so configs are written on top of ours that name none. The one of
  the two that is left out stays the row's.

What follows from a trunk in the rest of a model, the preprocessor's mean and
std and the head's width, is filled in by
:mod:`mmvidadapt.trunks.follow_trunk`. What a recipe wants otherwise, such as
ImageNet's means under CLIP's weights, is written into the trunk itself:
``trunk=dict(name='openai/ViT-B-16', mean=[...], std=[...])``.

This module holds data and imports no PyTorch, so that configs can be printed
in no time.
"""

import difflib
from typing import Dict, NamedTuple, Optional, Tuple, Union

Triple = Tuple[float, float, float]
CLIP = (122.771, 116.746, 104.094), (68.501, 66.632, 70.323)
IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
HALF = (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)
# The JAX projects approximate GELU by tanh.
FLAX = dict(pre_norm=False, act='gelu_tanh', eps=1e-6, patch_bias=True)
# The patch bias lies in the positions, LayerScale in the products behind it.
FOLDED = dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=False)


class Trunk(NamedTuple):
    """A published trunk.

    Args:
        family (str): ``'vit'``, ``'vivit'`` (model 1), ``'vivit_fe'`` (model
            2), ``'swin'`` or ``'video_swin'``.
        arch (str): Name of the sizes, in the ``ARCHS`` of the family.
        width (int): Channels C that the trunk gives.
        mean (Tuple[float, float, float], optional): Mean of the pixels, in
            0..255. None: pixels are not normalised.
        std (Tuple[float, float, float], optional): Their standard deviation.
        licence (str): Of the weights.
        note (str): What it is and where it comes from.
        dialect (str | dict, optional): Of image ViTs and ViViTs, see
            :class:`ViTTrunk`. Defaults to None.
        img_size (int): Height and width of its images. Defaults to 224.
        weights (str, optional): Name in ``SOURCES``. Defaults to None: there
            is no download that can be read, give ``pretrained``.
        projection (int, optional): Channels of CLIP's projection into the
            space that it shares with texts. Defaults to None: there is none.
        name (str): Key in :data:`TRUNKS`. Defaults to ''.
    """

    family: str
    arch: str
    width: int
    mean: Optional[Triple]
    std: Optional[Triple]
    licence: str
    note: str
    dialect: Union[str, dict, None] = None
    img_size: int = 224
    weights: Optional[str] = None
    projection: Optional[int] = None
    name: str = ''


_B, _L = ('base-p16', 768), ('large-p16', 1024)
_ROWS: Dict[str, Trunk] = {
    **{
        f'openai/{name}': Trunk(
            'vit',
            arch,
            width,
            *CLIP,
            'MIT',
            f'CLIP {name}',
            'clip',
            img_size,
            projection=projection,
        )
        for name, arch, width, img_size, projection in (
            ('ViT-B-32', 'base-p32', 768, 224, 512),
            ('ViT-B-16', 'base-p16', 768, 224, 512),
            ('ViT-L-14', 'large-p14', 1024, 224, 768),
            ('ViT-L-14-336px', 'large-p14-336', 1024, 336, 768),
        )
    },
    **{
        f'timm/{name}': Trunk(
            'vit', *sizes, *HALF, 'Apache-2.0', note, 'imagenet'
        )
        for name, sizes, note in (
            ('jx_vit_base_p16_224', _B, 'ViT-B/16, 21k, then ImageNet-1k'),
            ('jx_vit_base_patch16_224_in21k', _B, 'ViT-B/16, ImageNet-21k'),
            ('jx_vit_large_patch16_224_in21k', _L, 'ViT-L/16, ImageNet-21k'),
        )
    },
    **{
        f'scenic/{name}': Trunk(
            'vit', *sizes, *HALF, 'Apache-2.0', f'{note} (flax)', FLAX
        )
        for name, sizes, note in (
            ('ViT_B_16_ImageNet1k', _B, 'ViT-B/16, ImageNet-1k'),
            ('ViT_B_16_ImageNet21k', _B, 'ViT-B/16, ImageNet-21k'),
            ('ViT_L_16_ImageNet21k', _L, 'ViT-L/16, ImageNet-21k'),
        )
    },
    'facebook/dinov2-small': Trunk(
        'vit',
        'small-p14',
        384,
        *IMAGENET,
        'Apache-2.0',
        'DINOv2 ViT-S/14, converted to CLIP names with LayerScale and patch '
        'bias folded in; the file of the Hub is not read yet',
        FOLDED,
    ),
    **{
        name: Trunk(family, *sizes, *HALF, licence, note, FLAX)
        for name, family, sizes, licence, note in (
            ('vivit/b16x2_k400', 'vivit', _B, 'Apache-2.0', 'model 1, K400'),
            ('vivit/b16x2_fe_k400', 'vivit_fe', _B, 'Apache-2.0', '2, K400'),
            ('vivit/l16x2_fe_k400', 'vivit_fe', _L, 'Apache-2.0', '2, K400'),
            ('vivit/l16x2_fe_k600', 'vivit_fe', _L, 'Apache-2.0', '2, K600'),
            ('vivit/l16x2_fe_epic', 'vivit_fe', _L, 'Apache-2.0', '2, EPIC'),
            ('google/vivit-b-16x2', 'vivit', _B, 'MIT', 'model 1'),
            ('google/vivit-b-16x2-kinetics400', 'vivit', _B, 'MIT', '1, K400'),
        )
    },
    **{
        name: Trunk(family, 'base', 1024, *IMAGENET, licence, note)
        for name, family, licence, note in (
            (
                'microsoft/swin_base_patch4_window7_224_22k',
                'swin',
                'MIT',
                'Swin-B, ImageNet-22k',
            ),
            (
                'microsoft/swin_base_patch4_window7_224',
                'swin',
                'MIT',
                'Swin-B, ImageNet-1k',
            ),
            (
                'bevt/swinb_in1k',
                'video_swin',
                'Apache-2.0',
                'Video Swin-B, image stream of BEVT',
            ),
            (
                'bevt/swinb_in1k_k400',
                'video_swin',
                'Apache-2.0',
                'Video Swin-B, both streams of BEVT',
            ),
        )
    },
}
UNREAD = ('facebook/dinov2-small',)  # no download in a layout that we read
TRUNKS: Dict[str, Trunk] = {
    name: row._replace(name=name, weights=None if name in UNREAD else name)
    for name, row in _ROWS.items()
}


def find_trunk(trunk: Union[str, dict]) -> Trunk:
    """Look a trunk up by its name.

    Args:
        trunk (str | dict): Name in :data:`TRUNKS`, or a dict with ``name``
            and what differs from its row, ``mean`` and ``std`` say.

    Returns:
        Trunk: The row.

    Raises:
        ValueError: On names and entries that there are none of, with those
            that are near.
    """
    changes = dict(trunk) if isinstance(trunk, dict) else dict(name=trunk)
    name = changes.pop('name', None)
    if not isinstance(name, str) or name not in TRUNKS:
        close = difflib.get_close_matches(str(name), TRUNKS, n=3, cutoff=0.5)
        guess = ' or '.join(map(repr, close))
        raise ValueError(
            f'There is no trunk {name!r}.'
            + (f' Did you mean {guess}?' if close else '')
            + f' Choose from {sorted(TRUNKS)}, or describe it by arch, '
            'dialect and pretrained.'
        )
    unknown = set(changes) - {'mean', 'std'}
    if unknown:
        raise ValueError(
            f'trunk={dict(trunk)!r}: {sorted(unknown)} cannot differ from the '
            f'row of {name!r}, mean and std can; leave the trunk out and give '
            'arch, dialect and pretrained for other sizes.'
        )
    changes = {k: None if v is None else tuple(v) for k, v in changes.items()}
    return TRUNKS[name]._replace(**changes)
