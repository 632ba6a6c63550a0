"""AIM ViT-L/14, 32 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 70.6 / 92.7 % top-1 / top-5 (paper, unverified), 32x1x3 views.
    tools/dist_train.sh configs/aim/vitl14_32f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_32.py',
    '../_base_/models/aim_ssv2.py',
    '../_base_/schedules/adamw_50e_slow_backbone.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(trunk='openai/ViT-L-14', num_frames=32),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
