"""AIM on the quick start's frozen trunk: ten motions, 8 frames of 32 px.

Motions are pairs of exact time reversals: a model blind to the order of
frames is right half of the time within a pair. Chance 10 %. Ours: 95 %.
    bash tools/quickstart.sh
"""
_base_ = [
    '../_base_/data/quickstart_motion.py',
    '../_base_/views/quickstart_8_32px.py',
    '../_base_/models/quickstart.py',
    '../_base_/schedules/adamw_warm4_100e.py',
    '../_base_/runtime_quickstart.py',
]

model = dict(
    backbone=dict(
        type='AIM',
        arch=dict(embed_dims=96, num_layers=4, num_heads=3, patch_size=8),
        dialect='imagenet',
        img_size=32,
        num_frames=_base_.num_frames,
        pretrained='{{$QUICKSTART:quickstart}}/trunk/epoch_100.pth',
    ),
    cls_head=dict(num_classes=_base_.num_classes, in_channels=96),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(
    optimizer=dict(lr=4e-3),
    # It starts at zero and is all that the model knows about order.
    paramwise_cfg=dict(custom_keys=dict(temporal_embedding=dict(lr_mult=10))),
)
