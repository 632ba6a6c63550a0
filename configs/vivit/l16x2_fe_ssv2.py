"""ViViT-L/16x2, model 2, SSv2 (https://arxiv.org/abs/2103.15691).

Published: 65.9 / 89.9 % top-1 / top-5 (paper, memory), 32x4x3 views.
Ours: not run yet.
    tools/dist_train.sh configs/vivit/l16x2_fe_ssv2.py 8
"""
_base_ = [
    '../_base_/datasets/sthv2_vivit.py',
    '../_base_/schedules/sgd_35e.py',
    '../_base_/default_runtime.py',
]

# ViViTRecognizer is Recognizer3D; checkpoints of scenic and of Hugging Face
# fit it as they are.
model = dict(
    type='ViViTRecognizer',
    backbone=dict(
        type='ViViTFactorisedEncoder',
        arch='large-p16',
        num_frames=32,
        tubelet_size=2,
        img_size=256,
        temporal_num_layers=4,
        drop_path_rate=0.3,
        drop_path_mode='official',
        inflation=dict(positions='resize', class_token=False),
        pretrained='scenic/ViT_L_16_ImageNet21k',
    ),
    cls_head=dict(
        type='ViViTHead',
        num_classes=174,
        in_channels=1024,
        dropout_ratio=0.0,
        label_smooth_eps=0.3,
        average_clips='logit',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW',
        blending=dict(type='MixupBlending', num_classes=174, alpha=0.3),
    ),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(optimizer=dict(lr=0.4))
