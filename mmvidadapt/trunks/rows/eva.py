"""EVA-02-CLIP of BAAI: rotary positions, gated MLPs with norms inside."""

from typing import Dict

from ..row import CLIP, TIMM_FILE, HubFile, Published, Trunk, sizes

DIALECT = dict(
    pre_norm=False,
    act='swiglu',
    eps=1e-6,
    patch_bias=True,
    rotary='eva02',
    sub_norm=True,
    key_bias=False,
    resize='timm',
)
REPO = 'QuanSun/EVA-CLIP'
B16, L14 = sizes(768, 12, 12, 16, 2048), sizes(1024, 24, 16, 14, 2730)
# timm's name: the authors' file, its hash, sizes, image, projection, figures.
_SIZES: Dict[str, tuple] = {
    'base_patch16_clip_224': (
        'EVA02_CLIP_B_psz16_s8B',
        '4aab21dd652dc19aab7ff2302e5a07582d7838e8a3b26c80d697115fb0c6ddf0',
        B16,
        224,
        512,
        Published(86.26, 17.62, 224),
    ),
    'large_patch14_clip_224': (
        'EVA02_CLIP_L_psz14_s4B',
        '1ce4a40dfa4b7a2fb5bd059a49400daacb11d5a01653ae4f3459b1ff28ee5ace',
        L14,
        224,
        768,
        Published(304.11, 81.18, 224),
    ),
    'large_patch14_clip_336': (
        'EVA02_CLIP_L_336_psz14_s6B',
        '84c3a17a228c567a155259b2245b0b59072bf7da510260a0a02ec54de6d50b05',
        L14,
        336,
        768,
        Published(304.43, 191.34, 336),
    ),
}


def _eva(name: str, hub: HubFile) -> Trunk:
    """Write the row of an EVA-02-CLIP."""
    file, _, arch, size, projection, published = _SIZES[name]
    return Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *CLIP,
        'MIT',
        file.replace('_', '-').split('-psz')[0],
        DIALECT,
        size,
        hub=hub,
        published=published._replace(extra=projection * arch['embed_dims']),
    )


ROWS: Dict[str, Trunk] = {
    **{
        f'timm/eva02_{name}.merged2b': _eva(
            name, HubFile(f'timm/eva02_{name}.merged2b', TIMM_FILE)
        )
        for name in _SIZES
    },
    **{
        f'QuanSun/{file}': _eva(
            name, HubFile(REPO, (f'{file}.pt',), sha256=sha256)
        )
        for name, (file, sha256, *_) in _SIZES.items()
    },
}
