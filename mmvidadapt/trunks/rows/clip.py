"""CLIP as OpenAI, LAION, DataComp, Apple (DFN) and Meta (MetaCLIP) trained it.

One architecture; the activation is the recipe's and is in no file: OpenAI, DFN
but for its B/16 and its 39B, MetaCLIP 1 and the sizes of MetaCLIP 2 that say
so have QuickGELU (timm 1.0.31 notes it with its weights), all others GELU.
"""

from typing import Dict

from ..row import CLIP, HALF, TIMM_FILE, HubFile, Published, Trunk, sizes

QUICK = 'clip'
GELU = dict(pre_norm=True, act='gelu', eps=1e-5, patch_bias=False)
OPEN_CLIP = ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin')
# Sizes, channels of the projection, image, parameters and operations of the
# image tower with its projection, as open_clip and timm publish them.
B32 = sizes(768, 12, 12, 32, 3072), 512, 224, Published(87.85, 4.41, 224)
B32_256 = (*B32[:2], 256, Published(87.86, 5.76, 256))
B16 = sizes(768, 12, 12, 16, 3072), 512, 224, Published(86.19, 17.58, 224)
L14 = sizes(1024, 24, 16, 14, 4096), 768, 224, Published(303.97, 81.08, 224)
L336 = (*L14[:2], 336, Published(304.29, 191.11, 336))
H14 = sizes(1280, 32, 16, 14, 5120), 1024, 224, Published(632.08, 167.4, 224)
H378 = (*H14[:2], 378, Published(632.68, 503.79, 378))
G14 = sizes(1408, 40, 16, 14, 6144), 1024, 224, Published(1012.65, 267.18, 224)
BIG = (
    sizes(1664, 48, 16, 14, 8192),
    1280,
    224,
    Published(1844.91, 483.96, 224),
)
BIG378 = (*BIG[:2], 378, Published(1845.7, 1429.82, 378))


def _clip(
    size: tuple,
    dialect: object,
    licence: str,
    note: str,
    hub: HubFile = None,
    timm: str = '',
    pixels: tuple = CLIP,
) -> Trunk:
    """Write the row of a CLIP."""
    arch, projection, img_size, published = size
    extra = projection * arch['embed_dims']
    return Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *pixels,
        licence,
        note,
        dialect,
        img_size,
        projection=projection,
        hub=hub,
        mirror=HubFile(f'timm/{timm}', TIMM_FILE) if timm else None,
        published=published._replace(extra=extra),
    )


_OPENAI: Dict[str, tuple] = {
    'ViT-B-32': ('base-p32', B32, 'vit_base_patch32_clip_224.openai'),
    'ViT-B-16': ('base-p16', B16, 'vit_base_patch16_clip_224.openai'),
    'ViT-L-14': ('large-p14', L14, 'vit_large_patch14_clip_224.openai'),
    'ViT-L-14-336px': (
        'large-p14-336',
        L336,
        'vit_large_patch14_clip_336.openai',
    ),
}
_LAION: Dict[str, tuple] = {
    'B-32-laion2B-s34B-b79K': (B32, 'base_patch32_clip_224.laion2b'),
    'B-16-laion2B-s34B-b88K': (B16, 'base_patch16_clip_224.laion2b'),
    # The one that was trained with pixels from -1 to 1.
    'L-14-laion2B-s32B-b82K': (L14, 'large_patch14_clip_224.laion2b', HALF),
    'H-14-laion2B-s32B-b79K': (H14, 'huge_patch14_clip_224.laion2b'),
    'g-14-laion2B-s34B-b88K': (G14, 'giant_patch14_clip_224.laion2b'),
    'bigG-14-laion2B-39B-b160k': (BIG, 'gigantic_patch14_clip_224.laion2b'),
    'B-32-DataComp.XL-s13B-b90K': (B32, 'base_patch32_clip_224.datacompxl'),
    'B-32-256x256-DataComp-s34B-b86K': (
        B32_256,
        'base_patch32_clip_256.datacompxl',
    ),
    'B-16-DataComp.XL-s13B-b90K': (B16, 'base_patch16_clip_224.datacompxl'),
    'L-14-DataComp.XL-s13B-b90K': (L14, 'large_patch14_clip_224.datacompxl'),
}
_DFN: Dict[str, tuple] = {
    'DFN2B-CLIP-ViT-B-16': (B16, GELU, 'base_patch16_clip_224.dfn2b'),
    'DFN2B-CLIP-ViT-L-14': (L14, QUICK, 'large_patch14_clip_224.dfn2b'),
    'DFN2B-CLIP-ViT-L-14-39B': (
        L14,
        GELU,
        'large_patch14_clip_224.dfn2b_s39b',
    ),
    'DFN5B-CLIP-ViT-H-14': (H14, QUICK, 'huge_patch14_clip_224.dfn5b'),
    'DFN5B-CLIP-ViT-H-14-378': (H378, QUICK, 'huge_patch14_clip_378.dfn5b'),
}
_META1 = {
    'b32': (B32, 'base_patch32_clip_224'),
    'b16': (B16, 'base_patch16_clip_224'),
    'l14': (L14, 'large_patch14_clip_224'),
}
# Sizes of which the source at hand does not say the activation are left out.
_META2: Dict[str, tuple] = {
    'huge-quickgelu': (H14, QUICK, 'huge_patch14_clip_224'),
    'huge-378': (H378, GELU, 'huge_patch14_clip_378'),
    'giant': (BIG, GELU, 'gigantic_patch14_clip_224'),
    'giant-378': (BIG378, GELU, 'gigantic_patch14_clip_378'),
}

ROWS: Dict[str, Trunk] = {
    **{
        f'openai/{name}': _clip(
            size, QUICK, 'MIT', f'CLIP {name}', timm=timm
        )._replace(arch=arch)
        for name, (arch, size, timm) in _OPENAI.items()
    },
    **{
        f'laion/CLIP-ViT-{name}': _clip(
            size,
            dict(GELU, resize='timm'),
            'MIT',
            f'OpenCLIP ViT-{name}',
            HubFile(f'laion/CLIP-ViT-{name}', OPEN_CLIP),
            f'vit_{timm}',
            *pixels,
        )
        for name, (size, timm, *pixels) in _LAION.items()
    },
    **{
        f'apple/{name}': _clip(
            size,
            dialect,
            'Apple sample code licence',
            f'data filtering network, {name}',
            HubFile(f'apple/{name}', OPEN_CLIP),
            f'vit_{timm}',
        )
        for name, (size, dialect, timm) in _DFN.items()
    },
    **{
        f'facebook/metaclip-{name}-{data}': _clip(
            size,
            QUICK,
            'CC-BY-NC-4.0',
            f'MetaCLIP ViT-{name.upper()}, {data}',
            HubFile(f'facebook/metaclip-{name}-{data}'),
            f'vit_{timm}.metaclip_{tag}',
        )
        for data, tag in (('400m', '400m'), ('fullcc2.5b', '2pt5b'))
        for name, (size, timm) in {
            **_META1,
            **({'h14': (H14, 'huge_patch14_clip_224')} if '2' in tag else {}),
        }.items()
    },
    **{
        f'facebook/metaclip-2-worldwide-{name}': _clip(
            size,
            dialect,
            'CC-BY-NC-4.0',
            f'MetaCLIP 2, {name}',
            # In parts in their own repositories, with a text tower.
            HubFile(f'timm/vit_{timm}.metaclip2_worldwide', TIMM_FILE),
            f'vit_{timm}.metaclip2_worldwide',
        )
        for name, (size, dialect, timm) in _META2.items()
    },
}
