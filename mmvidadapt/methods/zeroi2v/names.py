"""Map parameter names of the official ZeroI2V to ours."""

from mmvidadapt.weights.layouts.registry import register_names
from mmvidadapt.weights.layouts.tables import Layout, Table, in_blocks, same
from mmvidadapt.weights.layouts.vit import CLIP_TRUNK

BLOCK = 'transformer.resblocks.{i}.'
ADAPTERS = dict(
    T_Adapter_in='attn_adapter_in',
    S_Adapter='attn_adapter_out',
    MLP_Adapter='mlp_adapter_in',
    MLP_Adapter_out='mlp_adapter_out',
)
ZEROI2V: Table = {
    **CLIP_TRUNK,
    **same('temporal_embedding'),
    **in_blocks(
        BLOCK,
        {
            f'{theirs}.{fc}.*': f'{ours}.{own}.*'
            for theirs, ours in ADAPTERS.items()
            for fc, own in (('D_fc1', 'down'), ('D_fc2', 'up'))
        },
    ),
}
register_names(
    'zeroi2v',
    layouts=(
        Layout(
            'zeroi2v',
            'vit',
            ('conv1.weight', f'{BLOCK}MLP_Adapter_out.D_fc1.*'),
            ZEROI2V,
            official=True,
        ),
    ),
)
