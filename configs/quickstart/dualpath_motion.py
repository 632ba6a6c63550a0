"""DualPath on the quick start's trunk: 16 frames of 64 px, 2 x 2 framesets.

Ten motions, chance 10 %. Ours: see README.md beside this file.
    python tools/train.py configs/quickstart/dualpath_motion.py
"""
_base_ = [
    '../_base_/datasets/quickstart_motion.py',
    '../_base_/schedules/adamw_warm4_100e.py',
    '../_base_/default_runtime.py',
]

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

train_pipeline = _base_.train_pipeline
train_pipeline[1].clip_len = num_frames
train_pipeline[3].scale = (-1, 72)
train_pipeline[4].size = 64
test_pipeline = _base_.test_pipeline
test_pipeline[1].clip_len = num_frames
test_pipeline[3].scale = (-1, 72)
test_pipeline[4].crop_size = 64
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=160)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=156, end=160)
default_hooks = dict(
    logger=dict(interval=30),
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
