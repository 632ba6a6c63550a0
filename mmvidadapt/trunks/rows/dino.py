"""DINOv2 and DINOv3 of Meta: self-supervised image ViTs.

DINOv2's training ended at 518 pixels, DINOv3's at 256 and more. Their
processors on the Hub give 224, and so do these rows: the positions of DINOv2
are resized to it, those of DINOv3 are computed for any grid.
"""

from typing import Dict, Tuple

from ..row import (
    IMAGENET,
    TIMM_FILE,
    HubFile,
    Published,
    Trunk,
    sizes,
)

V2 = dict(
    pre_norm=False, act='gelu', eps=1e-6, patch_bias=True, layer_scale=True
)
# All packages smooth their positions when they shrink them.
REGISTERS = dict(registers=4, resize='timm')
V3 = dict(
    pre_norm=False,
    act='gelu',
    eps=1e-5,
    patch_bias=True,
    positions=False,
    rotary='dinov3',
    registers=4,
    key_bias=False,
    layer_scale=True,
)
SAT = (109.65, 104.805, 75.48), (54.315, 39.78, 36.465)
# Sizes, gated MLP or not, published at 518 pixels without and with registers.
_V2: Dict[str, Tuple[dict, str, Published, Published]] = {
    'small': (
        sizes(384, 12, 6, 14, 1536),
        'gelu',
        Published(22.06, 46.76, 518),
        Published(22.06, 46.95, 518),
    ),
    'base': (
        sizes(768, 12, 12, 14, 3072),
        'gelu',
        Published(86.58, 151.71, 518),
        Published(86.58, 152.25, 518),
    ),
    'large': (
        sizes(1024, 24, 16, 14, 4096),
        'gelu',
        Published(304.37, 507.15, 518),
        Published(304.37, 508.9, 518),
    ),
    'giant': (
        sizes(1536, 40, 24, 14, 4096),
        'swiglu',
        Published(1136.48, 1784.2, 518),
        Published(1136.48, 1790.08, 518),
    ),
}
# Commits of main on the Hub, and hashes, as other projects pin them.
_PINS = {
    'small': dict(
        revision='ed25f3a31f01632728cabb09d1542f84ab7b0056',
        sha256='ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14'
        'be1',
    ),
    'base': dict(revision='f9e44c814b77203eaa57a6bdbbd535f21ede1415'),
    'large': dict(revision='47b73eefe95e8d44ec3623f8890bd894b6ea2d6c'),
}
# Sizes, gated MLP or not, timm's name, published at 256 pixels.
_V3: Dict[str, Tuple[dict, str, str, Published]] = {
    's16': (
        sizes(384, 12, 6, 16, 1536),
        'gelu',
        'small',
        Published(21.59, 6.26, 256),
    ),
    's16plus': (
        sizes(384, 12, 6, 16, 1536),
        'swiglu',
        'small_plus',
        Published(28.68, 8.11, 256),
    ),
    'b16': (
        sizes(768, 12, 12, 16, 3072),
        'gelu',
        'base',
        Published(85.64, 23.6, 256),
    ),
    'l16': (
        sizes(1024, 24, 16, 16, 4096),
        'gelu',
        'large',
        Published(303.08, 82.43, 256),
    ),
    'h16plus': (
        sizes(1280, 32, 20, 16, 5120),
        'swiglu',
        'huge_plus',
        Published(840.51, 224.88, 256),
    ),
}


def _v2(name: str, registers: bool) -> Tuple[str, Trunk]:
    """Write the row of a DINOv2."""
    arch, act, plain, with_registers = _V2[name]
    repo = f'facebook/dinov2-{"with-registers-" * registers}{name}'
    timm = f'timm/vit_{name}_patch14_{"reg4_" * registers}dinov2.lvd142m'
    dialect = dict(V2, act=act, **(REGISTERS if registers else {}))
    return repo, Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *IMAGENET,
        'Apache-2.0',
        f'DINOv2 ViT-{name[0].upper() if name != "giant" else "g"}/14'
        + ', 4 registers' * registers,
        dialect,
        hub=HubFile(repo, **({} if registers else _PINS.get(name, {}))),
        mirror=HubFile(timm, TIMM_FILE),
        published=with_registers if registers else plain,
    )


def _v3(name: str, data: str = 'lvd1689m') -> Tuple[str, Trunk]:
    """Write the row of a DINOv3."""
    arch, act, timm, published = _V3[name]
    repo = f'facebook/dinov3-vit{name}-pretrain-{data}'
    size = f'{name.replace("16", "").replace("plus", "+").upper()}/16'
    return repo, Trunk(
        'vit',
        arch,
        arch['embed_dims'],
        *(SAT if data == 'sat493m' else IMAGENET),
        'DINOv3 licence',
        f'DINOv3 ViT-{size}, {data.upper()}',
        dict(V3, act=act),
        hub=HubFile(repo, TIMM_FILE, gated=True),
        mirror=HubFile(
            f'timm/vit_{timm}_patch16_dinov3_qkvb.{data}', TIMM_FILE
        ),
        published=published,
    )


ROWS: Dict[str, Trunk] = dict(
    [
        *(_v2(name, registers) for registers in (False, True) for name in _V2),
        *map(_v3, _V3),
        _v3('l16', 'sat493m'),
    ]
)
