"""ViViT-L/16x2, model 2, SSv2 (https://arxiv.org/abs/2103.15691).

Published: 65.9 / 89.9 % top-1 / top-5 (paper, unverified), 32x4x3 views.
    tools/dist_train.sh configs/vivit/l16x2_fe_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/vivit_32x1_256px.py',
    '../_base_/models/vivit.py',
    '../_base_/schedules/sgd_35e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(
        type='ViViTFactorisedEncoder',
        trunk='scenic/ViT_L_16_ImageNet21k',
        img_size=256,
        temporal_num_layers=4,
        drop_path_rate=0.3,
        drop_path_mode='official',
        inflation=dict(positions='resize',
        class_token=False),
    ),
    cls_head=dict(label_smooth_eps=0.3, num_classes=_base_.num_classes),
    data_preprocessor=dict(
        blending=dict(
            type='MixupBlending', num_classes=_base_.num_classes, alpha=0.3
        )
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.4))
