"""BEVT Swin-B, 32 frames, SSv2 (https://arxiv.org/abs/2112.01529).

Published: 70.6 % top-1 (DALL-E), 71.4 % (PeCo), 32x1x3 views.
Ours: not run yet.
    tools/dist_train.sh configs/bevt/swinb_ssv2.py 8 --amp
"""
_base_ = [
    '../_base_/datasets/sthv2.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/default_runtime.py',
]

# Windows of 16 frames: the tables of 8 are interpolated.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='BEVTVideoSwin',
        arch='base',
        num_frames=32,
        window_size=(16, 7, 7),
        pretrained='bevt/swinb_in1k_k400',
        drop_path_rate=0.4,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=174,
        in_channels=1024,
        label_smooth_eps=0.1,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        blending=dict(type='VideoRandomErasing', prob=0.25),
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=3),
)

for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32)
del p
train_dataloader = dict(
    batch_size=1, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# 60 epochs; the backbone learns at a tenth of the head's rate, except for the
# tables of relative positions: the longest key that a name holds counts alone.
train_cfg = dict(max_epochs=60)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=60, end=60)
optim_wrapper = dict(
    accumulative_counts=8,
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(
            backbone=dict(lr_mult=0.1),
            relative_position_bias_table=dict(decay_mult=0.0),
        ),
    ),
)
# Averaged in every forward pass; the average is what is tested.
custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.0002)]
