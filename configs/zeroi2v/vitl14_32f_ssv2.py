"""ZeroI2V ViT-L/14, 32 frames, SSv2 (https://arxiv.org/abs/2310.01324).

Published: 72.2 % top-1 (official README), 32x1x3 views.
    tools/dist_train.sh configs/zeroi2v/vitl14_32f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/zeroi2v_spread_32.py',
    '../_base_/models/zeroi2v_ssv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(
            trunk='openai/ViT-L-14',
            num_frames=32,
            shifts=(-1, 1, -2, 2, -3, 3, -4, 4),
        ),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
