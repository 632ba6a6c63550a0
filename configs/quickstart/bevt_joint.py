"""BEVT in miniature, stage 2: masked clips and frames together.

It starts where stage 1 has ended, with the images that bevt_image.py names.
    python tools/train.py quickstart/bevt_joint \
        --work-dir quickstart/bevt_joint
"""
_base_ = ['../_base_/default_runtime.py']

data_root = '{{$QUICKSTART:quickstart}}/clips/'
image_root = '{{$QUICKSTART:quickstart}}/bevt_images/'
num_frames = 8
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTSwin',
        arch=dict(embed_dims=48, depths=(2, 2, 2), num_heads=(2, 4, 8)),
        img_size=64,
        num_frames=num_frames,
        window_size=(4, 4, 4),
        image_mask_mode='swin',
        pretrained='{{$QUICKSTART:quickstart}}/bevt_image/epoch_25.pth',
    ),
    cls_head=dict(type='BEVTHead', num_classes=128, in_channels=192),
    tokenizer=dict(
        type='KMeansTokenizer',
        pretrained='{{$QUICKSTART:quickstart}}/bevt_tokens/centres.pth',
        vocab_size=128,
        input_size=64,
        patch_size=8,
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[60.0, 60.0, 60.0],
        std=[60.0, 60.0, 60.0],
        format_shape='MIX2d3d',
    ),
)

picture = [
    dict(type='Resize', scale=(-1, 72), interpolation='area'),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=64),
]
pack = dict(
    type='PackActionInputs',
    meta_keys=('img_shape', 'filename'),
    algorithm_keys=('mask', 'view'),
)
video_pipeline = [
    dict(type='VideoInit'),
    dict(type='MidpointUniformSample', clip_len=num_frames),
    dict(type='VideoDecode'),
    *picture,
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='TubeMask', num_frames=4, grid=8, num_masked=32, min_block=6),
    pack,
]
image_pipeline = [
    dict(type='ImageDecode'),
    *picture,
    dict(type='FormatShape', input_format='NCHW', collapse=True),
    dict(type='BlockMask', grid=8, num_masked=32, min_block=6),
    pack,
]
del picture, pack
# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_train.txt',
        data_prefix=dict(video=data_root),
        pipeline=video_pipeline,
    ),
)
image_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageListDataset',
        ann_file=image_root + 'images.txt',
        data_prefix=dict(img=image_root),
        pipeline=image_pipeline,
    ),
)

max_epochs = 50
train_cfg = dict(
    type='MultiLoaderEpochBasedTrainLoop',
    max_epochs=max_epochs,
    other_loaders=[image_dataloader],
)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            relative_position_bias_table=dict(decay_mult=0.0),
            norm=dict(decay_mult=0.0),
        )
    ),
    clip_grad=dict(max_norm=3.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=5,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(
    logger=dict(interval=15),
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
