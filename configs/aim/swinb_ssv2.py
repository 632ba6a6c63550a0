"""AIM Swin-B (IN-21K), 32 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: no figure in the sources at hand.
    tools/dist_train.sh configs/aim/swinb_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_32.py',
    '../_base_/models/aim_swin.py',
    '../_base_/schedules/adamw_60e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(drop_path_rate=0.4),
    cls_head=dict(label_smooth_eps=0.1, num_classes=_base_.num_classes),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.25)
    ),
    test_cfg=dict(max_testing_views=2),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# The backbone learns at a tenth of the head's rate.
optim_wrapper = dict(
    paramwise_cfg=dict(
        _delete_=True, custom_keys=dict(backbone=dict(lr_mult=0.1))
    )
)
