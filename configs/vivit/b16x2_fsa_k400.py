"""ViViT-B/16x2, model 3, K400 (https://arxiv.org/abs/2103.15691).

Published: 77.4 % top-1 (paper, unverified), 32x4x3 views.
    tools/dist_train.sh configs/vivit/b16x2_fsa_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/vivit_32x2.py',
    '../_base_/models/vivit.py',
    '../_base_/schedules/sgd_30e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(
        type='ViViTFactorisedSelfAttention',
        attention_order='time_space',
        inflation=dict(temporal_attention='zero_output'),
    ),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
