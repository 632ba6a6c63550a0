"""AIM ViT-L/14, 16 frames, Kinetics-400 (https://arxiv.org/abs/2302.03024).

Published: 87.3 / 97.6 % top-1 / top-5 (official README), 16x3x1 views.
    tools/dist_train.sh configs/aim/vitl14_16f_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_16x8_pca.py',
    '../_base_/models/aim.py',
    '../_base_/schedules/adamw_30e_slow_backbone.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(trunk='openai/ViT-L-14', num_frames=16),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
