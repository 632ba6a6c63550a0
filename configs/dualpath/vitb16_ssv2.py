"""DualPath ViT-B/16, 16 frames, SSv2 (https://arxiv.org/abs/2303.09857).

Published: 70.3 / 92.9 % top-1 / top-5 (paper, unverified); its views are not
verified, 16x1x3 here.
    tools/dist_train.sh configs/dualpath/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/dualpath_16_1x3.py',
    '../_base_/models/dualpath.py',
    '../_base_/schedules/adamw_warm3_60e.py',
    '../_base_/runtime.py',
]

# 0.00035 for 256 clips; another comment of the released code has 0.0005.
model = dict(
    backbone=dict(variant='paper-ssv2'),
    cls_head=dict(num_classes=_base_.num_classes),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.1)
    ),
    test_cfg=dict(max_testing_views=2),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=8.75e-5))
