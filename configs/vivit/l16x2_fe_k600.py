"""ViViT-L/16x2, model 2, Kinetics-600 (https://arxiv.org/abs/2103.15691).

Published: 81.6 % top-1 (official README, released weights), 32x4x3 views.
    tools/dist_train.sh configs/vivit/l16x2_fe_k600.py 8
"""
_base_ = [
    '../_base_/data/kinetics600.py',
    '../_base_/views/vivit_32x2.py',
    '../_base_/models/vivit.py',
    '../_base_/schedules/sgd_30e.py',
    '../_base_/runtime.py',
]

# The class token is inflated as in the official code.
model = dict(
    backbone=dict(
        type='ViViTFactorisedEncoder',
        trunk='scenic/ViT_L_16_ImageNet21k',
        temporal_num_layers=24,
        inflation=dict(class_token=False),
    ),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.05))
