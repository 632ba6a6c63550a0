"""DualPath."""

from mmaction.registry import MODELS

from tests.golden import load_golden
from tests.methods.cases import REGISTERS, Case, Official, names

# Adapters of 8 fold into the layers before them, adapters of 64 do not.
SMALL = dict(bottleneck=8, dropout=0.1, train_positions=False)
PAPER = dict(SMALL, temporal_pre_adapter=False, separate_cls=True)
SSV2 = dict(PAPER, temporal_pre_adapter=True)
BLOCK = 'transformer.resblocks.{}.'


def recognizer(golden, **overrides):
    """Build the whole model of a golden, as a config would."""
    meta, kwargs = golden['meta'], golden['meta']['kwargs']
    backbone = dict(
        type='DualPath',
        arch=dict(
            embed_dims=kwargs['vision_width'],
            num_layers=kwargs['vision_layers'],
            num_heads=meta['vision_heads'],
            patch_size=kwargs['vision_patch_size'],
        ),
        img_size=kwargs['image_resolution'],
        num_frames=meta['T'],
        num_spatial_frames=meta['Ts'],
        variant='official',
        output_dims=kwargs['embed_dim'],
    )
    head = dict(
        type='DualPathHead',
        num_classes=kwargs['num_class'],
        in_channels=2 * kwargs['embed_dim'],
        average_clips='score',
    )
    model = dict(
        type='DualPathRecognizer',
        backbone={**backbone, **overrides},
        cls_head=head,
        data_preprocessor=dict(type='ActionDataPreprocessor'),
    )
    return MODELS.build(model).to(golden['video'].dtype).eval()


def ours(name):
    """Name a parameter of the golden as the recognizer does."""
    name = name.replace('visual.head.', 'cls_head.')
    name = name.replace('visual.', 'backbone.')
    return name.replace('down_proj', 'down').replace('up_proj', 'up')


def official(path, **overrides):
    """Read a golden."""
    golden = load_golden(path)
    model = recognizer(golden, **overrides)
    model.load_state_dict(dict(golden['state_dict']), strict=True)
    wanted = set(golden['meta']['trainable']) - {'positional_embedding'}
    assert set(map(ours, golden['grads'])) == set(map(ours, wanted))
    return Official(
        model,
        model(golden['video'][:, None], stage='head'),
        golden['output'],
        golden['w'],
        {ours(name): grad for name, grad in golden['grads'].items()},
    )


def adapters(*places):
    """List what the adapters of two blocks train."""
    parts = [f'{p}.{fc}.*' for p in places for fc in ('down', 'up')]
    return names(BLOCK, 2, *parts)


IN_TIME = adapters('t_adapter_attn', 't_adapter_mlp')
IN_SPACE = adapters('s_adapter_attn', 's_adapter_mlp')
GIVEN = dict(type='DualPath', arch='tiny', img_size=16, output_dims=12)
CASES = [
    Case(
        dict(GIVEN, num_frames=16, variant=PAPER),
        (3, 16, 16, 16),
        IN_TIME
        | IN_SPACE
        | {'spatial_positional_embedding', 'class_embedding'}
        | {'temporal_class_embedding'},
        keys='6189372a971f',
        drawn=0.071221026,
        variants={
            f'{name}, {"+".join(paths)}, {width}': dict(
                variant=dict(traits, bottleneck=width), paths=paths
            )
            for name, traits in (('paper', PAPER), ('ssv2', SSV2))
            for paths in (('temporal', 'spatial'), ('temporal',), ('spatial',))
            for width in (8, 64)
        }
        | {
            'official': dict(variant='official'),
            'registers': dict(dialect=REGISTERS, variant='official'),
            'finetuned': dict(variant='official', full_finetune=True),
            'imagenet': dict(dialect='imagenet', output_dims=None),
            'no class token': dict(cls_token=False, out_type='avg_featmap'),
        },
        wrong=[
            (dict(frames=4), 'frames'),
            (dict(cls_token=False), 'cls_token=False.*avg_featmap'),
            (dict(num_frames=24), r'num_frames=24.*grid=\(4, 4\).*16'),
            (dict(num_frames=8), r'num_frames=8.*grid=\(4, 4\).*16'),
            (dict(grid=(3, 3)), r'num_frames=16.*grid=\(3, 3\).*9'),
            (dict(grid=(0, 4)), r'grid=\(0, 4\)'),
            (dict(grid=(4,)), r'grid=\(4,\)'),
            (dict(num_spatial_frames=0), 'num_spatial_frames=0.*1 to 16'),
            (dict(num_spatial_frames=17), 'num_spatial_frames=17.*1 to 16'),
            (dict(paths=('spatial', 'time')), 'time.*temporal'),
            (dict(paths=()), r'paths=\(\)'),
            (dict(framesets_from='disk'), 'disk.*pipeline'),
            (dict(img_size=(16, 24)), r'img_size=\(16, 24\).*square'),
            (dict(variant='ours'), "Unknown variant 'ours'.*official.*paper"),
            (dict(variant=dict(bottleneck=3)), 'missing.*separate_cls'),
            (dict(variant=dict(PAPER, bottleneck=0)), 'width=0'),
            (dict(variant=dict(PAPER, bottleneck=0.001)), 'ratio=0.001'),
            (dict(variant=dict(PAPER, cls=1)), "unknown.*'cls'"),
        ],
        wrong_clips=[
            ((3, 8, 16, 16), r'num_frames=16.*\(B, 3, 16, H, W\), not'),
            ((16, 16, 16), r'num_frames=16.*\(B, 3, 16, H, W\), not'),
            ((3, 16, 16, 24), 'img_size.*16, 16.*16, 24'),
        ],
        goldens=('dualpath_[a-z].pt', 'dualpath_?_f64.pt'),
        official=official,
    ),
    Case(
        dict(GIVEN, num_frames=16, variant='official', paths=('temporal',)),
        (3, 16, 16, 16),
        IN_TIME
        | adapters('t_adapter_attn_b')
        | {'spatial_positional_embedding', 'class_embedding'},
        keys='70d7e2cda00d',
        drawn=0.072515353,
    ),
    Case(
        dict(GIVEN, num_frames=16, variant='official', paths=('spatial',)),
        (3, 16, 16, 16),
        IN_SPACE | {'positional_embedding', 'class_embedding'},
        keys='c0dd8a80cba0',
        drawn=0.073043169,
    ),
    *(
        Case(
            dict(
                GIVEN,
                num_frames=frames,
                num_spatial_frames=spatial,
                grid=grid,
                antialias=frames == 18,
                variant=SSV2,
            ),
            (3, frames, 16, 16),
            IN_TIME
            | IN_SPACE
            | adapters('t_adapter_attn_b')
            | {'spatial_positional_embedding', 'class_embedding'}
            | {'temporal_class_embedding'},
            keys=keys,
            drawn=drawn,
        )
        for grid, frames, spatial, keys, drawn in (
            ((1, 1), 4, 4, 'c52ef87ea00d', 0.070390571),
            ((2, 2), 8, 3, 'c52ef87ea00d', 0.070390571),
            ((3, 3), 18, 6, 'c52ef87ea00d', 0.070390571),
            ((4, 4), 32, 1, 'c52ef87ea00d', 0.070390571),
        )
    ),
]
