"""AIM Swin-B (IN-21K), 32 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: no figure in the sources at hand.
Ours: not run yet.
    tools/dist_train.sh configs/aim/swinb_ssv2.py 8
"""
_base_ = [
    '../_base_/datasets/sthv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIMSwin',
        arch='base',
        pretrained='microsoft/swin_base_patch4_window7_224_22k',
        num_frames=32,
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
    test_cfg=dict(max_testing_views=2),
)

for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32)
del p
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# 60 epochs; the backbone learns at a tenth of the head's rate.
train_cfg = dict(max_epochs=60)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=60, end=60)
optim_wrapper = dict(
    paramwise_cfg=dict(
        _delete_=True, custom_keys=dict(backbone=dict(lr_mult=0.1))
    )
)
