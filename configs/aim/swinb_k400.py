"""AIM Swin-B (IN-21K), 32 frames, K400 (https://arxiv.org/abs/2302.03024).

Published: 82.1 % top-1 (paper, unverified), 32x4x3 views.
    tools/dist_train.sh configs/aim/swinb_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_32x2_4x3.py',
    '../_base_/models/aim_swin.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(drop_path_rate=0.2),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=4),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# The head learns at 1e-3, the backbone at a tenth of it.
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(
        _delete_=True, custom_keys=dict(backbone=dict(lr_mult=0.1))
    ),
)
