"""Perception Encoder of Meta, core (contrastive) and spatial (dense).

CLIP's blocks with rotary positions; core is read by an attention pool of
eight heads over all tokens, spatial by the mean of its patches. The largest
size has no class token.
"""

from typing import Dict

from ..row import HALF, TIMM_FILE, HubFile, Published, Trunk, sizes

CORE = dict(
    pre_norm=True,
    act='gelu',
    eps=1e-5,
    patch_bias=False,
    rotary='pe',
    pool='map',
    pool_heads=8,
    pool_mlp_ratio=4.0,
    resize='pe',
)
SPATIAL = dict(
    {k: v for k, v in CORE.items() if not k.startswith('pool')},
    pool='mean',
    final_norm=False,
)
T16, S16 = sizes(192, 12, 3, 16, 768), sizes(384, 12, 6, 16, 1536)
B16, L14 = sizes(768, 12, 12, 16, 3072), sizes(1024, 24, 16, 14, 4096)
G14 = sizes(1536, 50, 16, 14, 8960)
WHOLE: Dict[str, object] = dict(cls_token=False)  # no class token
# Sizes, what differs in the dialect, timm's name, parameters, operations,
# channels of the projection that timm counts.
_CORE: Dict[str, tuple] = {
    'T16-384': (T16, {}, 'tiny_patch16', 6.14, 4.74, 512),
    'S16-384': (S16, {}, 'small_patch16', 23.78, 15.69, 512),
    'B16-224': (B16, {}, 'base_patch16', 93.67, 17.82, 1024),
    'L14-336': (L14, {}, 'large_patch14', 317.15, 192.33, 1024),
    'G14-448': (G14, WHOLE, 'gigantic_patch14', 1882.03, 2060.12, 1280),
}
_SPATIAL: Dict[str, tuple] = {
    'T16-512': (T16, {}, 'tiny_patch16', 5.68, 10.46, 0),
    'S16-512': (S16, {}, 'small_patch16', 21.98, 31.8, 0),
    'B16-512': (B16, {}, 'base_patch16', 86.43, 107.13, 0),
    'L14-448': (L14, {}, 'large_patch14', 303.96, 362.05, 0),
    'G14-448': (
        G14,
        dict(WHOLE, layer_scale=True),
        'gigantic_patch14',
        1851.89,
        2055.25,
        0,
    ),
}

ROWS: Dict[str, Trunk] = {
    f'facebook/PE-{kind}-{name}': Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *HALF,
        'Apache-2.0',
        f'Perception Encoder {kind.lower()}, {name}',
        dict(dialect, **more),
        int(name[-3:]),
        hub=HubFile(f'facebook/PE-{kind}-{name}', (f'PE-{kind}-{name}.pt',)),
        mirror=HubFile(
            f'timm/vit_pe_{kind.lower()}_{timm}_{name[-3:]}.fb', TIMM_FILE
        ),
        published=Published(
            params, gmacs, int(name[-3:]), projection * arch['embed_dims']
        ),
    )
    for kind, dialect, rows in (
        ('Core', CORE, _CORE),
        ('Spatial', SPATIAL, _SPATIAL),
    )
    for name, (arch, more, timm, params, gmacs, projection) in rows.items()
}
