"""Map names of image Swins: Microsoft's, and ours."""

from typing import Tuple

from .tables import NATIVE, Layout, Table, same

SWIN_BLOCK = 'layers.{i}.blocks.{j}.'
SWIN_TRUNK: Table = {
    **same(
        'patch_embed.proj.*',
        'patch_embed.norm.*',
        'norm.*',
        'layers.{i}.downsample.norm.*',
        'layers.{i}.downsample.reduction.weight',
    ),
    **same(
        *(
            SWIN_BLOCK + name
            for name in (
                'norm1.*',
                'norm2.*',
                'attn.qkv.*',
                'attn.proj.*',
                'mlp.fc1.*',
                'mlp.fc2.*',
                'attn.relative_position_bias_table',
            )
        )
    ),
    **dict.fromkeys(('**.relative_position_index', '**.attn_mask')),
}
SWIN_2D: Table = {**SWIN_TRUNK, 'head.*': None}

LAYOUTS: Tuple[Layout, ...] = (
    Layout('native-swin', 'swin', (f'{SWIN_BLOCK}**_adapter.down.*',), NATIVE),
    Layout(
        'native-swin',
        'swin',
        (f'{SWIN_BLOCK}attn.temporal_position_bias_table',),
        NATIVE,
    ),
    Layout(
        'swin-2d',
        'swin',
        (
            'patch_embed.proj.weight',
            f'{SWIN_BLOCK}attn.relative_position_bias_table',
        ),
        SWIN_2D,
        video='video-swin',
    ),
)
