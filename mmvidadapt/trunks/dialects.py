"""Sizes of image ViTs, and what tells their families apart."""

from typing import Any, Dict, Sequence, Union

_ARCH_KEYS = ('embed_dims', 'num_layers', 'num_heads', 'patch_size')
ARCHS = {
    name: dict(zip(_ARCH_KEYS, sizes))
    for name, sizes in {
        'tiny': (32, 2, 2, 8),
        'small-p16': (384, 12, 6, 16),
        'small-p14': (384, 12, 6, 14),
        'base-p32': (768, 12, 12, 32),
        'base-p16': (768, 12, 12, 16),
        'large-p16': (1024, 24, 16, 16),
        'large-p14': (1024, 24, 16, 14),
        'huge-p16': (1280, 32, 16, 16),
        'huge-p14': (1280, 32, 16, 14),
    }.items()
}
ARCHS['large-p14-336'] = dict(ARCHS['large-p14'], img_size=336)
DIALECTS = {
    'clip': dict(pre_norm=True, act='quick_gelu', eps=1e-5, patch_bias=False),
    'imagenet': dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=True),
}
# What else a dialect may say, and what it is where a dialect does not.
TRAITS = dict(
    cls_token=True,  # a class token stands before the patches
    registers=0,  # so many tokens stand behind it
    positions=True,  # a learned table is added
    rotary=None,  # whose rotary positions: dinov3, eva02, pe
    rotary_grid=None,  # side of the grid that they are scaled to
    key_bias=True,  # keys have a bias
    sub_norm=False,  # norms before the last layers of attention and MLP
    layer_scale=False,  # folded into these layers unless all is trained
    final_norm=True,  # a norm after the blocks
    pool='token',  # what is read of a frame: a name in POOLS
    pool_heads=None,  # of the attention pool; None: those of the trunk
    pool_mlp_ratio=None,  # likewise
    resize='bicubic',  # how tables of positions are resized
)
POOLS = dict(token='cls_token', mean='avg_featmap', map='attn_pool')


def resolve(
    kind: str,
    table: Dict[str, dict],
    value: Union[str, dict],
    optional: Sequence[str] = (),
) -> Dict[str, Any]:
    """Look a name up in a table, or check a dict against its entries."""
    if isinstance(value, str):
        if value not in table:
            raise ValueError(
                f"Unknown {kind} '{value}'; choose from "
                f'{sorted(table)} or give a dict.'
            )
        return dict(table[value])
    needed = set(next(iter(table.values())))
    missing = needed - set(value)
    unknown = set(value) - needed - set(optional)
    if missing or unknown:
        raise ValueError(
            f'{kind}={dict(value)}: missing {sorted(missing)}, '
            f'unknown {sorted(unknown)}.'
        )
    return dict(value)


def read_dialect(dialect: Union[str, dict]) -> Dict[str, Any]:
    """Look a dialect up in :data:`DIALECTS`, or check one that is given."""
    return resolve('dialect', DIALECTS, dialect, tuple(TRAITS))
