"""AIM ViT-L/14, 32 frames, Kinetics-400 (https://arxiv.org/abs/2302.03024).

Published: 87.5 / 97.7 % top-1 / top-5 (official README), 32x3x1 views.
    tools/dist_train.sh configs/aim/vitl14_32f_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_32x4_pca.py',
    '../_base_/models/aim.py',
    '../_base_/schedules/adamw_30e_slow_backbone.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(trunk='openai/ViT-L-14', num_frames=32),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
