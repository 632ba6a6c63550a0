"""Side4Video."""

from tests.methods.cases import REGISTERS, Case, names

PARTS = ['ln_in.*', 'proj_in.*', 'bn_1.*', 'pw_1.*', 'conv.*', 'pw_2.*']
PARTS += ['ln.*', 'attn.in_proj_weight', 'attn.in_proj_bias']
PARTS += ['attn.out_proj.*', 'bn_2.*', 'mlp.c_fc.*', 'mlp.c_proj.*']

CASES = [
    Case(
        dict(
            type='Side4Video',
            arch='tiny',
            img_size=(16, 24),
            side_dims=12,
            side_num_heads=2,
        ),
        (3, 4, 16, 24),
        names('side.', 1, 'conv1.*', 'bn_pre.*', 'bn_post.*')
        | {'side.positional_embedding'}
        | names('side.layers.{}.', 2, *PARTS),
        keys='9f10ec1fad15',
        drawn=0.084267047,
        variants={
            'finetuned': dict(full_finetune=True),
            'imagenet': dict(dialect='imagenet'),
            'registers': dict(dialect=REGISTERS),
            'no class token': dict(cls_token=False),
            'wide': dict(temporal_ratio=2.0, side_mlp_ratio=2.0),
        },
        wrong=[
            (dict(side_dims=7), 'side_dims=7: .*even'),
            (dict(side_dims=0), 'side_dims=0'),
            (dict(side_num_heads=5), 'num_heads=5.*embed_dims=12'),
            (dict(num_frames=4), 'num_frames'),
        ],
        wrong_clips=[((3, 4, 32, 32), 'img_size.*16, 24.*32, 32')],
    )
]
