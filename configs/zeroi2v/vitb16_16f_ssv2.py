"""ZeroI2V ViT-B/16, 16 frames, SSv2 (https://arxiv.org/abs/2310.01324).

Published: 67.7 % top-1 (official README, its first edition; frames
unverified), 16x1x3 views.
    tools/dist_train.sh configs/zeroi2v/vitb16_16f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/zeroi2v_spread_16.py',
    '../_base_/models/zeroi2v_ssv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(num_frames=16, shifts=(-1, 1, -2, 2)),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
