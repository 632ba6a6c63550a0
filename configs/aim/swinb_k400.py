"""AIM Swin-B (IN-21K), 32 frames, K400 (https://arxiv.org/abs/2302.03024).

Published: 82.1 % top-1, 32x4x3 views (paper, unverified).
Ours: not run yet.
    tools/dist_train.sh configs/aim/swinb_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIMSwin',
        arch='base',
        pretrained='microsoft/swin_base_patch4_window7_224_22k',
        num_frames=32,
        drop_path_rate=0.2,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=400,
        in_channels=1024,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)

for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32, frame_interval=2)
del p
_base_.test_pipeline[1].update(num_clips=4)
_base_.test_pipeline[4] = dict(type='ThreeCrop', crop_size=224)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# The head learns at 1e-3, the backbone at a tenth of it.
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(
        _delete_=True, custom_keys=dict(backbone=dict(lr_mult=0.1))
    ),
)
