"""EVL."""

import torch
from mmaction.registry import MODELS

from mmvidadapt.weights import rename_official_, to_native
from tests.golden import load_golden
from tests.methods.cases import REGISTERS, Case, Official, names

TEMPORAL = ('conv', 'position', 'motion')
ENABLED = dict(
    conv='enable_temporal_conv',
    position='enable_temporal_pos_embed',
    motion='enable_temporal_cross_attention',
)
LAYER = [f'{part}.*' for part in ('norm1', 'norm2', 'norm3')]
LAYER += [f'attn.{part}_proj.*' for part in ('q', 'k', 'v', 'out')]
LAYER += ['mlp.fc1.*', 'mlp.fc2.*', 'temporal_conv.*', 'temporal_pos_embed']


def recognizer(golden, **overrides):
    """Build the whole model of a golden, as a config would."""
    kwargs, preset = (
        golden['meta']['kwargs'],
        golden['meta']['backbone_preset'],
    )
    backbone = dict(
        type='EVL',
        arch=dict(
            embed_dims=preset['feature_dim'],
            num_layers=preset['num_layers'],
            num_heads=preset['num_heads'],
            patch_size=preset['patch_size'][0],
            mlp_ratio=preset['mlp_factor'],
        ),
        img_size=tuple(preset['input_size']),
        num_frames=kwargs['num_frames'],
        temporal=[name for name in TEMPORAL if kwargs[ENABLED[name]]],
        decoder_num_layers=kwargs['decoder_num_layers'],
        decoder_qkv_dims=kwargs['decoder_qkv_dim'],
        decoder_num_heads=kwargs['decoder_num_heads'],
        decoder_mlp_ratio=kwargs['decoder_mlp_factor'],
        full_finetune=kwargs['backbone_mode'] == 'finetune',
    )
    head = dict(
        type='EVLHead',
        num_classes=kwargs['num_classes'],
        in_channels=preset['feature_dim'],
    )
    model = dict(
        type='EVLRecognizer',
        backbone={**backbone, **overrides},
        cls_head=head,
        data_preprocessor=dict(type='ActionDataPreprocessor'),
    )
    model = MODELS.build(model).eval()
    return model.double() if golden['input'].dtype == torch.float64 else model


def load_official(model, golden):
    """Load the image weights, then what the official code saves."""
    clip = golden.get('clip_visual_state_dict')
    if clip is not None:
        trunk = {
            k: v for k, v in to_native(clip).items() if 'ln_post' not in k
        }
        missing, unknown = model.backbone.load_state_dict(trunk, strict=False)
        assert unknown == []
        assert all(k.startswith(('decoder.', 'conv1.bias')) for k in missing)
    missing, unknown = model.load_state_dict(golden['state_dict'], False)
    frozen = [f'backbone.{name}' for name in model.backbone.trunk()]
    assert unknown == []
    assert missing == ([] if model.backbone.trunk_learns else frozen)


def renamed_gradients(golden):
    """Names are ours, and queries, keys and values fused."""
    whole = dict(golden['grads'])
    head = {'proj.0': 'norm', 'proj.2': 'fc_cls'}
    ours = {
        f'cls_head.{head[name[:6]]}{name[6:]}': whole.pop(name)
        for name in list(whole)
        if name.startswith('proj.')
    }
    rename_official_(whole)
    return {**{f'backbone.{k}': v for k, v in whole.items()}, **ours}


def official(path, **overrides):
    """Read a golden."""
    golden = load_golden(path)
    model = recognizer(golden, **overrides)
    load_official(model, golden)
    scores = model(golden['input'][:, None], stage='head')
    return Official(
        model, scores, golden['output'], golden['w'], renamed_gradients(golden)
    )


CASES = [
    Case(
        dict(
            type='EVL',
            arch='tiny',
            img_size=(16, 24),
            num_frames=4,
            decoder_num_layers=2,
        ),
        (3, 4, 16, 24),
        {'decoder.cls_token'}
        | names('decoder.layers.{}.', 2, *LAYER, 'motion.w1', 'motion.w2'),
        keys='9f855fa972ae',
        drawn=0.091020659,
        variants={
            'finetuned': dict(full_finetune=True),
            **{
                'only ' + '+'.join(on): dict(temporal=on)
                for on in ((), *((name,) for name in TEMPORAL))
            },
            'centred': dict(center=True),
            'no class token': dict(cls_token=False),
            'registers': dict(dialect=REGISTERS),
            'narrow': dict(decoder_qkv_dims=12, decoder_num_heads=3),
            'one layer': dict(decoder_num_layers=1, dialect='imagenet'),
            'fine grid': dict(
                arch=dict(
                    embed_dims=48, num_layers=3, num_heads=3, patch_size=4
                )
            ),
        },
        wrong=[
            (dict(frames=4), 'frames'),
            (dict(decoder_num_layers=3), 'decoder_num_layers=3.*trunk has 2'),
            (dict(decoder_num_layers=0), 'decoder_num_layers=0.*1 to 2'),
            (dict(decoder_num_layers=2.0), r'decoder_num_layers=2\.0.*whole'),
            (dict(num_frames=0), 'num_frames=0: give 1'),
            (dict(num_frames=4.0), r'num_frames=4\.0'),
            (dict(temporal=('pos',)), 'pos.*position'),
            (dict(trunk_dtype='int8'), 'int8.*bf16'),
            (
                dict(trunk_dtype='bf16', full_finetune=True),
                "trunk_dtype='bf16'",
            ),
            (dict(decoder_num_heads=5), 'decoder_num_heads=5.*dims=32'),
            (dict(img_size=30), 'img_size=.*30.*patch_size=8'),
        ],
        wrong_clips=[
            ((3, 8, 16, 24), 'num_frames=4.* 8 frames'),
            ((3, 4, 32, 32), 'img_size.*16, 24.*32, 32'),
        ],
        goldens=('evl_*.pt',),
        official=official,
    )
]
