"""DualPath on the quick start's trunk: 16 frames of 64 px, 2 x 2 framesets.

Ten motions, chance 10 %. Ours: see README.md beside this file.
    python tools/train.py configs/quickstart/dualpath_motion.py
"""
_base_ = [
    '../_base_/data/quickstart_motion.py',
    '../_base_/views/quickstart_16_64px.py',
    '../_base_/models/quickstart.py',
    '../_base_/schedules/adamw_warm4_160e.py',
    '../_base_/runtime_quickstart.py',
]

# A frame of a 2 x 2 frameset has the 32 px that the trunk knows.
model = dict(
    backbone=dict(
        type='DualPath',
        arch=dict(embed_dims=96, num_layers=4, num_heads=3, patch_size=8),
        dialect='imagenet',
        img_size=64,
        num_frames=_base_.num_frames,
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
        _delete_=True,
        type='DualPathHead',
        num_classes=_base_.num_classes,
        in_channels=192,
        average_clips='score',
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
