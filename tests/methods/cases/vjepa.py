"""V-JEPA 2 and 2.1 with the attentive probe, which is all that is trained."""

import json

from mmaction.registry import MODELS

from mmvidadapt.weights.load_hooks import renamed
from tests.golden import load_golden
from tests.methods.cases import Case, Official, names

BLOCK = ('ln_1.*', 'ln_2.*', 'attn.in_proj_weight', 'attn.in_proj_bias')
BLOCK += ('mlp.c_fc.*', 'mlp.c_proj.*')
PROBE = names('attn_pool.cross.', 1, *BLOCK) | {'attn_pool.query_tokens'}
PROBE |= names('attn_pool.blocks.{}.', 1, *BLOCK, 'attn.out_proj.*')
GIVEN = dict(
    type='VJEPA2',
    arch='tiny',
    img_size=(16, 24),
    num_frames=4,
    out_type='attn_pool',
    pooler=dict(num_layers=1),
)
CLIP = (3, 4, 16, 24)
ARCH = dict(embed_dims=32, num_layers=4, num_heads=8, patch_size=8)


def model_of(golden, **overrides):
    """Write the config of the whole model of a golden."""
    config = json.loads(golden['meta'])['config']
    arch = dict(
        embed_dims=config['hidden_size'],
        num_layers=config['num_hidden_layers'],
        num_heads=config['num_attention_heads'],
        patch_size=config['patch_size'],
    )
    backbone = dict(
        type='VJEPA2',
        arch=arch,
        img_size=config['crop_size'],
        num_frames=config['frames_per_clip'],
        out_type='attn_pool',
    )
    head = dict(
        type='Float32I3DHead',
        num_classes=len(config['id2label']),
        in_channels=config['hidden_size'],
        dropout_ratio=0.0,
    )
    model = dict(backbone={**backbone, **overrides}, cls_head=head)
    return dict(type='AdaptedRecognizer', **model)


def recognizer(golden, **overrides):
    """Build the whole model of a golden."""
    return MODELS.build(model_of(golden, **overrides)).eval()


def official(path, **overrides):
    """Read a golden."""
    golden = load_golden(path)
    model = recognizer(golden, **overrides)
    model.load_state_dict(golden['state_dict'], strict=True)
    return Official(
        model,
        model(golden['input'].transpose(1, 2).unsqueeze(1), stage='head'),
        golden['pooled'],
        golden['w'],
        renamed(model, golden['grads']),
    )


CASES = [
    Case(
        GIVEN,
        CLIP,
        PROBE,
        keys='ec92722cd666',
        drawn=0.056600544,
        variants={
            'taps': dict(out_indices=(0, 2, -1)),
            'all tokens': dict(
                out_type='featmap', pooler=None, full_finetune=True
            ),
            'two segments': dict(num_segments=2),
            'projected': dict(
                pooler=dict(num_layers=0, embed_dims=24, num_heads=2)
            ),
            'queries': dict(pooler=dict(num_layers=0, num_queries=3)),
        },
        wrong=[
            (dict(frames=4), 'frames'),
            (dict(arch='giant'), "Unknown arch 'giant'.*giant-p16"),
            (dict(dialect='vjepa3'), "Unknown dialect 'vjepa3'.*vjepa2.1"),
            (dict(dialect=dict(rotary='vjepa2')), 'missing.*modality'),
            (dict(num_segments=0), 'num_segments=0'),
            (dict(num_frames=5), 'num_frames=5.*tubelet_size=2'),
            (dict(arch=ARCH), '4 channels.*num_heads'),
            (dict(tubelet_size=0), 'num_frames=4.*tubelet_size=0'),
            (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
            (dict(out_type='cls_token'), 'cls_token.*avg_featmap'),
            (dict(out_type='avg_featmap'), "pooler=.*choose out_type='attn_"),
            (dict(out_indices=(1, 0, 3)), r'out_indices=\(1, 0, 3\).*\[0, 1'),
            (dict(out_indices=(0, 2)), r'out_indices=\(0, 2\).*last, 3'),
            (dict(pooler=dict(num_heads=3)), 'num_heads=3.*embed_dims=32'),
            (dict(pooler=dict(depth=3)), 'depth'),
            (
                dict(arch=dict(GIVEN, type=0)),
                'missing.*embed_dims.*unknown.*num_frames',
            ),
        ],
        wrong_clips=[
            (shape, r'num_frames=4.*\(16, 24\)')
            for shape in ((3, 8, 16, 24), (3, 4, 24, 16), (3, 16, 24))
        ],
        goldens=('trunk_hf_vjepa2_probe.pt',),
        official=official,
    ),
    Case(
        dict(GIVEN, dialect='vjepa2.1'),
        CLIP,
        PROBE,
        keys='95dd03fd0e3c',
        drawn=0.056595477,
        variants={'taps': dict(out_indices=(0, 2, 3))},
        wrong=[
            (dict(out_indices=(0, 4)), r'out_indices=\(0, 4\).*\[0, 1, 2, 3'),
            (
                dict(arch=dict(ARCH, num_layers=2, num_heads=2)),
                'num_layers=2.*stages=4',
            ),
        ],
    ),
    Case(  # an image
        dict(GIVEN, dialect='vjepa2.1', num_frames=1),
        (3, 1, 16, 24),
        PROBE,
        keys='96053f8c79c7',
        drawn=0.059855884,
        variants={'2, repeated': dict(dialect='vjepa2')},
    ),
]
