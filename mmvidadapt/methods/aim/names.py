"""Map parameter names of the official AIM to ours."""

from mmvidadapt.weights.layouts.registry import register_names
from mmvidadapt.weights.layouts.swin import SWIN_BLOCK, SWIN_TRUNK
from mmvidadapt.weights.layouts.tables import Layout, Table, in_blocks, same
from mmvidadapt.weights.layouts.vit import CLIP_TRUNK, TIMM_TRUNK

AIM_ADAPTERS = {
    f'{theirs}.{fc}.*': f'{ours}.{own}.*'
    for theirs, ours in (
        ('T_Adapter', 't_adapter'),
        ('T_Adapter_in', 't_adapter_in'),
        ('S_Adapter', 's_adapter'),
        ('MLP_Adapter', 'mlp_adapter'),
    )
    for fc, own in (('D_fc1', 'down'), ('D_fc2', 'up'))
}
AIM_CLIP: Table = {
    **CLIP_TRUNK,
    **same('temporal_embedding'),
    **in_blocks('transformer.resblocks.{i}.', AIM_ADAPTERS),
}
AIM_IMAGENET: Table = {
    **TIMM_TRUNK,
    **same('temporal_embedding', 'ln_post.*'),
    **in_blocks('blocks.{i}.', AIM_ADAPTERS),
}
# In their Swin, S_Adapter is the joint adapter and S_Adapter2 the spatial.
AIM_SWIN: Table = {
    **SWIN_TRUNK,
    **same(
        'temporal_embedding', f'{SWIN_BLOCK}attn.temporal_position_bias_table'
    ),
    '**.t_relative_coords': None,
    **{
        f'{SWIN_BLOCK}{theirs}.{fc}.*': f'{SWIN_BLOCK}{ours}.{own}.*'
        for theirs, ours in (
            ('T_Adapter', 't_adapter'),
            ('S_Adapter2', 's_adapter'),
            ('S_Adapter', 'mlp_adapter'),
        )
        for fc, own in (('D_fc1', 'down'), ('D_fc2', 'up'))
    },
}

LAYOUTS = (
    Layout(
        'aim-clip',
        'vit',
        ('conv1.weight', 'transformer.resblocks.{i}.**_Adapter.D_fc1.*'),
        AIM_CLIP,
        official=True,
        without=('transformer.resblocks.{i}.MLP_Adapter_out.**',),
    ),
    Layout(
        'aim-imagenet',
        'vit',
        ('cls_token', 'blocks.{i}.**_Adapter.D_fc1.*'),
        AIM_IMAGENET,
        official=True,
    ),
    Layout(
        'aim-swin',
        'swin',
        (f'{SWIN_BLOCK}S_Adapter2.D_fc1.*',),
        AIM_SWIN,
        official=True,
    ),
)
register_names(
    'aim',
    layouts=LAYOUTS,
    time_axes={
        'temporal_embedding': 1,  # (1, T, C)
        'temporal_position_bias_table': 0,  # (2T-1, heads)
    },
)
