"""AIM ViT-B/16, 16 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 68.1 / 91.8 % top-1 / top-5 (paper, unverified), 16x1x3 views.
    tools/dist_train.sh configs/aim/vitb16_16f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_16.py',
    '../_base_/models/aim_ssv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(num_frames=16),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
