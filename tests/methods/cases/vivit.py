"""The four models of ViViT."""

from tests.golden import load_golden
from tests.methods.cases import Case, Official, names
from tests.methods.vivit_samples import as_ours, clips, recognizer

BLOCK = 'transformer.resblocks.{}.'
PARTS = ('ln_1.*', 'ln_2.*', 'attn.in_proj_weight', 'attn.in_proj_bias')
PARTS += ('attn.out_proj.*', 'mlp.c_fc.*', 'mlp.c_proj.*')
ENCODER = names('', 1, 'positional_embedding', 'conv1.*', 'ln_post.*')
ENCODER |= names(BLOCK, 2, *PARTS)
CLS = {'class_embedding'}
ODD = dict(embed_dims=33, num_layers=1, num_heads=3, patch_size=8)
GIVEN = dict(arch='tiny', img_size=(16, 24), num_frames=4)
CLIP = (3, 4, 16, 24)
# Of names and shapes, and of the first weights with seed 0.
PINS = {
    'ViViT': ('e07b0b52236b', 0.092140093),
    'ViViTFactorisedEncoder': ('c1e3e89209c9', 0.098869227),
    'ViViTFactorisedSelfAttention': ('57dcfa6574f3', 0.103569965),
    'ViViTFactorisedDotProduct': ('301dc2cd6113', 0.092456581),
}
SIZES = [
    (shape, r'num_frames=4.*\(16, 24\)')
    for shape in ((3, 8, 16, 24), (3, 4, 32, 32), (3, 16, 24))
]


def official(path, **overrides):
    """Read a golden."""
    golden = load_golden(path)
    model = recognizer(golden, **overrides)
    model.load_state_dict(golden['state_dict'], strict=True)
    return Official(
        model,
        model(clips(golden), stage='head'),
        golden['output'],
        golden['w'],
        as_ours(model, golden['grads']),
    )


def case(kind, trained, variants=(), wrong=(), **given):
    """Describe one of the models."""
    return Case(
        dict(type=kind, **GIVEN, **given),
        CLIP,
        trained,
        keys=PINS[kind][0],
        drawn=PINS[kind][1],
        variants=dict(variants, clip=dict(dialect='clip')),
        wrong=wrong,
        wrong_clips=SIZES,
        goldens=(f'vivit_model{list(PINS).index(kind) + 1}*.pt',),
        official=official,
    )


CASES = [
    case(
        'ViViT',
        ENCODER | CLS,
        {
            'mean of all': dict(out_type='avg_featmap', tubelet_size=4),
            'odd number of heads': dict(arch=ODD),
        },
        wrong=[
            (dict(frames=4), 'frames'),
            (dict(arch='giant'), "Unknown arch 'giant'.*base-p16"),
            (dict(num_frames=5), 'num_frames=5.*tubelet_size=2'),
            (dict(tubelet_size=0), 'num_frames=4.*tubelet_size=0'),
            (dict(tubelet_size=8), 'num_frames=4.*tubelet_size=8'),
            (dict(sampled_frames=2), 'sampled_frames=2.*tubelet_size=1'),
            (dict(sampled_frames=0, tubelet_size=1), 'sampled_frames=0'),
            (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
            (dict(out_type='gap'), 'gap.*avg_featmap'),
            (dict(drop_path_mode='batch'), 'batch.*official'),
            (dict(drop_path_rate=1.0), r'rate 1.0 is not in \[0, 1\)'),
            (dict(inflation=dict(kernels='central')), 'kernels.*positions'),
            (dict(inflation=dict(kernel='middle')), 'kernel.*middle.*central'),
            (dict(inflation=dict(class_token=False)), 'class_token.*positio'),
            (dict(trainable=('head',)), 'No parameter of ViViT.*head'),
        ],
    ),
    case(
        'ViViTFactorisedEncoder',
        ENCODER
        | CLS
        | {
            f'temporal.{name}'
            for name in ENCODER | CLS
            if 'resblocks.1' not in name and 'conv1' not in name
        },
        {
            'mean of all': dict(out_type='avg_featmap'),
            'mean in time': dict(temporal_num_layers=0),
        },
        wrong=[
            (dict(temporal_num_layers=-1), 'temporal_num_layers=-1'),
            (dict(temporal_num_layers=None), 'temporal_num_layers=None.*pret'),
        ],
        temporal_num_layers=1,
    ),
    case(
        'ViViTFactorisedSelfAttention',
        ENCODER
        | {
            name.replace('.attn.', '.attn_time.').replace('ln_1.', 'ln_time.')
            for name in ENCODER
            if '.attn.' in name or '.ln_1.' in name
        },
        {'space first': dict(attention_order='space_time')},
        wrong=[
            (dict(attention_order='both'), 'attention_order.*both.*time_spac'),
            (dict(out_type='cls_token'), 'cls_token.*avg_featmap'),
        ],
    ),
    case(
        'ViViTFactorisedDotProduct',
        ENCODER,
        wrong=[
            (dict(arch=ODD), 'num_heads=3.*even'),
            (dict(out_type='cls_token'), 'cls_token.*avg_featmap'),
        ],
    ),
]
