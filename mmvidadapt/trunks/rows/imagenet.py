"""Vision Transformers trained with the labels of ImageNet."""

from typing import Dict

from ..row import (
    FLAX,
    HALF,
    TIMM_FILE,
    HubFile,
    Published,
    Trunk,
    sizes,
)

TIMM = dict(
    pre_norm=False, act='gelu', eps=1e-6, patch_bias=True, resize='timm'
)
# transformers' ViT divides by another epsilon than timm's.
HUB = dict(pre_norm=False, act='gelu', eps=1e-12, patch_bias=True)
# As timm counts them, mostly with a classifier of 1,000 classes.
TI16 = sizes(192, 12, 3, 16, 768), Published(5.72, 1.26, 224)
S16 = sizes(384, 12, 6, 16, 1536), Published(22.05, 4.61, 224)
B32 = sizes(768, 12, 12, 32, 3072), Published(88.22, 4.41, 224)
B16 = sizes(768, 12, 12, 16, 3072), Published(86.57, 17.58, 224)
L16 = sizes(1024, 24, 16, 16, 4096), Published(304.33, 61.6, 224)
H14 = sizes(1280, 32, 16, 14, 5120), Published(630.76, 167.4, 224)


def _vit(size: tuple, note: str, dialect: object = 'imagenet') -> Trunk:
    """Write the row of a ViT."""
    arch, published = size
    extra = 0 if size is H14 else 1000 * (arch['embed_dims'] + 1)
    return Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *HALF,
        'Apache-2.0',
        note,
        dialect,
        published=published._replace(extra=extra),
    )


_TIMM: Dict[str, tuple] = {
    'tiny_patch16_224': (TI16, ('augreg_in21k',)),
    'small_patch16_224': (S16, ('augreg_in21k', 'augreg_in21k_ft_in1k')),
    'base_patch32_224': (B32, ('augreg_in21k',)),
    'base_patch16_224': (
        B16,
        (
            'augreg_in21k',
            'augreg_in21k_ft_in1k',
            'augreg2_in21k_ft_in1k',
            'augreg_in1k',
        ),
    ),
    'large_patch16_224': (L16, ('augreg_in21k', 'augreg_in21k_ft_in1k')),
}

ROWS: Dict[str, Trunk] = {
    **{
        f'timm/{name}': _vit(size, note)._replace(arch=arch)
        for name, arch, size, note in (
            (
                'jx_vit_base_p16_224',
                'base-p16',
                B16,
                'ViT-B/16, 21k, then ImageNet-1k',
            ),
            (
                'jx_vit_base_patch16_224_in21k',
                'base-p16',
                B16,
                'ViT-B/16, ImageNet-21k',
            ),
            (
                'jx_vit_large_patch16_224_in21k',
                'large-p16',
                L16,
                'ViT-L/16, ImageNet-21k',
            ),
        )
    },
    **{
        f'timm/vit_{name}.{tag}': _vit(size, f'ViT, {tag}', TIMM)._replace(
            hub=HubFile(f'timm/vit_{name}.{tag}', TIMM_FILE)
        )
        for name, (size, tags) in _TIMM.items()
        for tag in tags
    },
    **{
        f'google/vit-{name}-224-in21k': _vit(
            size, 'ViT, ImageNet-21k', HUB
        )._replace(hub=HubFile(f'google/vit-{name}-224-in21k'))
        for name, size in (
            ('base-patch16', B16),
            ('base-patch32', B32),
            ('large-patch16', L16),
            ('huge-patch14', H14),
        )
    },
    **{
        f'scenic/{name}': _vit(size, f'{note} (flax)', FLAX)._replace(
            arch=arch
        )
        for name, arch, size, note in (
            (
                'ViT_B_16_ImageNet1k',
                'base-p16',
                B16,
                'ViT-B/16, ImageNet-1k',
            ),
            (
                'ViT_B_16_ImageNet21k',
                'base-p16',
                B16,
                'ViT-B/16, ImageNet-21k',
            ),
            (
                'ViT_L_16_ImageNet21k',
                'large-p16',
                L16,
                'ViT-L/16, ImageNet-21k',
            ),
        )
    },
}
