"""AIM ViT-B/16, 32 frames, Charades, mAP (https://arxiv.org/abs/2302.03024).

Published: none.
    tools/dist_train.sh configs/aim/vitb16_32f_charades.py 8
"""
_base_ = [
    '../_base_/data/charades.py',
    '../_base_/views/spread_32_flip.py',
    '../_base_/models/aim.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/runtime.py',
]

# Every class by itself. Each is rare, so that which are not there is easy: the
# asymmetric loss (https://arxiv.org/abs/2009.14119) looks at the others.
model = dict(
    backbone=dict(num_frames=32),
    cls_head=dict(
        num_classes=_base_.num_classes,
        multi_class=True,
        loss_cls=dict(type='mmpretrain.AsymmetricLoss'),
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
