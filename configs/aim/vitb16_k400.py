"""AIM ViT-B/16, 8 frames, Kinetics-400 (https://arxiv.org/abs/2302.03024).

Published: 83.9 / 96.3 % top-1 / top-5 (official README), 8x3x1 views.
    tools/dist_train.sh configs/aim/vitb16_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_8x16.py',
    '../_base_/models/aim.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/runtime.py',
]

# The official config has 32x4 frames; its history and the published row have
# 8x16, as here.
model = dict(
    backbone=dict(num_frames=8),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
