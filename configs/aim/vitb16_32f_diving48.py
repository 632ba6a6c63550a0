"""AIM ViT-B/16, 32 frames, Diving-48 (https://arxiv.org/abs/2302.03024).

Published: 88.9 % top-1 (official README), 32x1x1 views.
    tools/dist_train.sh configs/aim/vitb16_32f_diving48.py 8
"""
_base_ = [
    '../_base_/data/diving48.py',
    '../_base_/views/spread_32_flip.py',
    '../_base_/models/aim.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

# The official config tests three crops; the published row has one, as here.
model = dict(
    backbone=dict(num_frames=32),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
