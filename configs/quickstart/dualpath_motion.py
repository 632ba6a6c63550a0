"""DualPath on the quick start's trunk: 16 frames of 64 px, 2 x 2 framesets.

Ten motions, chance 10 %. Ours: see README.md beside this file.
    python tools/train.py configs/quickstart/dualpath_motion.py
"""
_base_ = ['../_base_/default_runtime.py']

data_root = '{{$QUICKSTART:quickstart}}/clips/'
num_frames = 16
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='DualPath',
        arch=dict(embed_dims=96, num_layers=4, num_heads=3, patch_size=8),
        dialect='imagenet',
        # A frame of a 2 x 2 frameset has the 32 px that the trunk knows.
        img_size=64,
        num_frames=num_frames,
        grid=(2, 2),
        variant=dict(
            bottleneck=24,
            temporal_pre_adapter=True,
            separate_cls=True,
            train_positions=True,
            dropout=0.0,
        ),
        pretrained='{{$QUICKSTART:quickstart}}/trunk/epoch_100.pth',
    ),
    cls_head=dict(
        type='DualPathHead',
        num_classes=10,
        in_channels=192,
        average_clips='score',
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
    dict(type='Resize', scale=(-1, 72), interpolation='area'),
    dict(type='RandomCrop', size=64),
    # In a mirror left is right, and clockwise is anticlockwise.
    dict(type='Flip', flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
]
test_pipeline = [
    dict(type='NamedDecordInit'),
    dict(type='MidpointUniformSample', clip_len=num_frames, test_mode=True),
    dict(type='NamedDecordDecode'),
    dict(type='Resize', scale=(-1, 72), interpolation='area'),
    dict(type='CenterCrop', crop_size=64),
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

max_epochs = 80
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=25
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=1.5e-3, weight_decay=0.05),
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
