"""BEVT in miniature, stage 3: ten motions, from the joint stage.

    python tools/train.py quickstart/bevt_finetune         --work-dir quickstart/bevt_finetune
"""
_base_ = [
    '../_base_/data/quickstart_motion.py',
    '../_base_/views/quickstart_8_64px.py',
    '../_base_/models/quickstart.py',
    '../_base_/schedules/quickstart_bevt_50e.py',
    '../_base_/runtime_quickstart.py',
]

model = dict(
    backbone=dict(
        type='BEVTVideoSwin',
        arch=dict(embed_dims=48, depths=(2, 2, 2), num_heads=(2, 4, 8)),
        img_size=64,
        num_frames=_base_.num_frames,
        window_size=(4, 4, 4),
        pretrained='{{$QUICKSTART:quickstart}}/bevt_joint/epoch_50.pth',
        drop_path_rate=0.1,
    ),
    cls_head=dict(num_classes=_base_.num_classes, in_channels=192),
)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

max_epochs = 40
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(clip_grad=dict(max_norm=1.0))
warm_up, cosine = _base_.param_scheduler
param_scheduler = [
    dict(warm_up, end=4),
    dict(cosine, T_max=max_epochs, end=max_epochs),
]
del warm_up, cosine
default_hooks = dict(logger=dict(interval=15))
