"""AIM ViT-B/16, 8 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 66.4 / 90.5 % top-1 / top-5 (top-1 third party; top-5 paper,
unverified), 8x1x3 views.
    tools/dist_train.sh configs/aim/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_8.py',
    '../_base_/models/aim_ssv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(num_frames=8),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
