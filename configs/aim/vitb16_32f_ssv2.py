"""AIM ViT-B/16, 32 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 69.1 / 92.2 % top-1 / top-5 (paper, unverified), 32x1x3 views.
    tools/dist_train.sh configs/aim/vitb16_32f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_32.py',
    '../_base_/models/aim_ssv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(num_frames=32),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
