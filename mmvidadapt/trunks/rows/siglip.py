"""SigLIP 2 of Google at fixed sizes: no class token, an attention pool.

transformers approximates GELU by tanh in all sizes, as the project itself;
timm does so in so400m and giant-opt alone.
"""

from typing import Dict

from ..row import HALF, TIMM_FILE, HubFile, Published, Trunk, sizes

DIALECT = dict(
    pre_norm=False,
    act='gelu_tanh',
    eps=1e-6,
    patch_bias=True,
    cls_token=False,
    pool='map',
)
# The patches of so400m at 384 cover 378 pixels: 27 of 14.
B16, B32 = sizes(768, 12, 12, 16, 3072), sizes(768, 12, 12, 32, 3072)
L16 = sizes(1024, 24, 16, 16, 4096)
SO14, SO16 = sizes(1152, 27, 16, 14, 4304), sizes(1152, 27, 16, 16, 4304)
GIANT = sizes(1536, 40, 16, 16, 6144)
_SIZES: Dict[str, tuple] = {
    'base-patch32-256': (B32, 'base_patch32', 256, 94.55, 5.75),
    'base-patch16-224': (B16, 'base_patch16', 224, 92.88, 17.73),
    'base-patch16-256': (B16, 'base_patch16', 256, 92.93, 23.44),
    'base-patch16-384': (B16, 'base_patch16', 384, 93.18, 56.12),
    'base-patch16-512': (B16, 'base_patch16', 512, 93.52, 108.22),
    'large-patch16-256': (L16, 'large_patch16', 256, 315.96, 81.34),
    'large-patch16-384': (L16, 'large_patch16', 384, 316.28, 192.07),
    'large-patch16-512': (L16, 'large_patch16', 512, 316.74, 364.0),
    'so400m-patch14-224': (SO14, 'so400m_patch14', 224, 427.68, 110.26),
    'so400m-patch14-384': (SO14, 'so400m_patch14', 378, 428.23, 335.4),
    'so400m-patch16-256': (SO16, 'so400m_patch16', 256, 427.89, 110.31),
    'so400m-patch16-384': (SO16, 'so400m_patch16', 384, 428.26, 259.65),
    'so400m-patch16-512': (SO16, 'so400m_patch16', 512, 428.77, 490.13),
    'giant-opt-patch16-256': (
        GIANT,
        'giantopt_patch16',
        256,
        1163.17,
        299.66,
    ),
    'giant-opt-patch16-384': (
        GIANT,
        'giantopt_patch16',
        384,
        1163.66,
        696.85,
    ),
}


def _timm(timm: str, size: int) -> HubFile:
    """Name timm's copy of the weights."""
    return HubFile(f'timm/vit_{timm}_siglip_{size}.v2_webli', TIMM_FILE)


ROWS: Dict[str, Trunk] = {
    f'google/siglip2-{name}': Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *HALF,
        'Apache-2.0',
        f'SigLIP 2, {name}',
        DIALECT,
        size,
        # The largest lies in parts in its own repository.
        hub=_timm(timm, size)
        if arch is GIANT
        else HubFile(f'google/siglip2-{name}', TIMM_FILE),
        mirror=_timm(timm, size),
        published=Published(params, gmacs, size),
    )
    for name, (arch, timm, size, params, gmacs) in _SIZES.items()
}
