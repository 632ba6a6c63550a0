"""A small pretraining config on real clips and images."""

from mmengine.config import Config

from tests import runs
from tests.methods.bevt_samples import TOY

VOCABULARY = 32
TOKENIZER = dict(
    type='KMeansTokenizer',
    vocab_size=VOCABULARY,
    input_size=32,
    patch_size=4,
)
CROP = [
    dict(type='RandomResizedCrop', area_range=(0.3, 1.0)),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
]
PACK = dict(
    type='PackActionInputs',
    meta_keys=('img_shape', 'filename'),
    algorithm_keys=('mask', 'view'),
)


def clip_pipeline():
    """Crop eight frames, copy them for the tokenizer, mask a tube."""
    return [
        dict(type='DecordInit', num_threads=1),
        dict(type='SampleFrames', clip_len=8, frame_interval=1, num_clips=1),
        dict(type='DecordDecode'),
        *CROP,
        dict(type='TokenizerView', size=32),
        dict(type='FormatShape', input_format='NCTHW'),
        dict(
            type='TubeMask', num_frames=4, grid=8, num_masked=32, min_block=4
        ),
        PACK,
    ]


def image_pipeline():
    """Crop an image, copy it for the tokenizer, mask blocks."""
    return [
        dict(type='ImageDecode'),
        *CROP,
        dict(type='TokenizerView', size=32),
        dict(type='FormatShape', input_format='NCHW', collapse=True),
        dict(type='BlockMask', grid=8, num_masked=32, min_block=4),
        PACK,
    ]


def loader(dataset):
    """Put a data set into a loader."""
    return dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dataset,
    )


def config(clips, images=None):
    """Return the config of a pretraining on lists of clips and images."""
    others = []
    if images is not None:
        listed = dict(type='ImageListDataset', ann_file=str(images))
        listed['data_prefix'] = dict(img=str(images.parent))
        listed['pipeline'] = image_pipeline()
        others = [loader(dict(type='RepeatDataset', times=2, dataset=listed))]
    backbone = dict(type='BEVTSwin', arch=TOY, img_size=32, num_frames=8)
    backbone['window_size'] = (2, 2, 2)
    model = dict(type='BEVTPretrainer', backbone=backbone, tokenizer=TOKENIZER)
    model['cls_head'] = dict(type='BEVTHead', in_channels=32)
    model['cls_head']['num_classes'] = VOCABULARY
    model['data_preprocessor'] = dict(
        runs.model()['data_preprocessor'], format_shape='MIX2d3d'
    )
    data = runs.loader(clips, True, 0, 2)
    data['dataset'].update(pipeline=clip_pipeline())
    return Config(
        dict(
            default_scope='mmaction',
            model=model,
            train_cfg=dict(other_loaders=others),
            train_dataloader=data,
        )
    )
