"""AIM on the quick start's frozen trunk: ten motions, 8 frames of 32 px.

Motions are pairs of exact time reversals: a model blind to the order of
frames is right half of the time within a pair. Chance 10 %. Ours: 95 %.
    bash tools/quickstart.sh
"""
_base_ = ['../_base_/default_runtime.py']

data_root = '{{$QUICKSTART:quickstart}}/clips/'
num_frames = 8
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIM',
        arch=dict(embed_dims=96, num_layers=4, num_heads=3, patch_size=8),
        dialect='imagenet',
        img_size=32,
        num_frames=num_frames,
        pretrained='{{$QUICKSTART:quickstart}}/trunk/epoch_100.pth',
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=10,
        in_channels=96,
        dropout_ratio=0.0,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[60.0, 60.0, 60.0],
        std=[60.0, 60.0, 60.0],
        format_shape='NCTHW',
    ),
)

train_pipeline = [
    dict(type='NamedDecordInit'),
    dict(type='MidpointUniformSample', clip_len=num_frames),
    dict(type='NamedDecordDecode'),
    dict(type='Resize', scale=(-1, 36), interpolation='area'),
    dict(type='RandomCrop', size=32),
    # In a mirror left is right, and clockwise is anticlockwise.
    dict(type='Flip', flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
]
test_pipeline = [
    dict(type='NamedDecordInit'),
    dict(type='MidpointUniformSample', clip_len=num_frames, test_mode=True),
    dict(type='NamedDecordDecode'),
    dict(type='Resize', scale=(-1, 36), interpolation='area'),
    dict(type='CenterCrop', crop_size=32),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
]
# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_train.txt',
        data_prefix=dict(video=data_root),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=20,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_val.txt',
        data_prefix=dict(video=data_root),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator

max_epochs = 100
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=25
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=4e-3, weight_decay=0.05),
    # It starts at zero and is all that the model knows about order.
    paramwise_cfg=dict(custom_keys=dict(temporal_embedding=dict(lr_mult=10))),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        by_epoch=True,
        begin=0,
        end=4,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - 4,
        by_epoch=True,
        begin=4,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(
    logger=dict(interval=30),
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
