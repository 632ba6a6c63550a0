"""AttentiveProbe on image trunks; on video trunks it is VJEPA2's."""

from tests.methods.cases import REGISTERS, Case
from tests.methods.cases.vjepa import PROBE as POOLER

PROBE = {name.replace('attn_pool', 'probe') for name in POOLER}

GIVEN = dict(
    type='AttentiveProbe',
    arch='tiny',
    img_size=(16, 24),
    num_frames=4,
    pooler=dict(num_layers=1),
)
SIGLIP = dict(REGISTERS, registers=0, cls_token=False, pool='map')

CASES = [
    Case(
        GIVEN,
        (3, 4, 16, 24),
        PROBE,
        keys='167ae00a7fd2',
        drawn=0.050323217502908336,
        variants={
            'registers': dict(dialect=REGISTERS),
            'no class token': dict(dialect=SIGLIP),
            'two blocks, two queries': dict(
                out_indices=(0, 1), pooler=dict(num_layers=0, num_queries=2)
            ),
            'two segments': dict(num_segments=2),
            'rotary': dict(
                time_positions='rotary', out_indices=(0, 1), num_segments=2
            ),
            'as DINOv3': dict(
                time_positions='dinov3',
                pooler=dict(num_layers=2, embed_dims=24, num_heads=2),
            ),
            'no time': dict(time_positions=None),
            'centred': dict(center=True),
        },
        wrong=[
            (dict(time_positions='1d'), 'time_positions=.*1d.*sincos.*dinov3'),
            (
                dict(time_positions='rotary', pooler=dict(num_layers=0)),
                "time_positions='rotary'.*num_layers=0.*'sincos'",
            ),
            (
                dict(time_positions='dinov3', pooler=dict(num_heads=8)),
                'a head has 4 channels.*num_heads',
            ),
            (dict(pooler=dict(embed_dims=33)), 'num_heads=2.*embed_dims=33'),
            (dict(num_frames=0), 'num_frames=0'),
            (dict(num_segments=0), 'num_segments=0'),
            (dict(out_indices=(2,)), 'out_indices=.*2.*0, 1'),
            (dict(out_indices=()), r'out_indices=\(\).*0 to 1'),
            (dict(out_indices=(1, 1)), r'out_indices=\(1, 1\).*each once'),
            (dict(pooler=dict(num_heads=3)), 'num_heads=3'),
            (dict(pooler=dict(num_layers=-1)), 'num_layers=-1'),
            (dict(pooler=dict(num_queries=0)), 'num_queries=0'),
        ],
        wrong_clips=[
            ((3, 4, 24, 24), 'img_size.*16, 24.*24, 24'),
            ((3, 8, 16, 24), 'num_frames=4.* 8'),
        ],
    ),
]
