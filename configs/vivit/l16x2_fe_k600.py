"""ViViT-L/16x2, model 2, Kinetics-600 (https://arxiv.org/abs/2103.15691).

Published: the released weights 81.6 % top-1 (official README), 32x4x3 views.
Ours: not run yet.
    tools/dist_train.sh configs/vivit/l16x2_fe_k600.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics600_vivit.py',
    '../_base_/schedules/sgd_30e.py',
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
        temporal_num_layers=24,
        inflation=dict(class_token=False),  # as the official code
        pretrained='scenic/ViT_L_16_ImageNet21k',
    ),
    cls_head=dict(
        type='ViViTHead',
        num_classes=600,
        in_channels=1024,
        dropout_ratio=0.0,
        average_clips='logit',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(optimizer=dict(lr=0.05))
