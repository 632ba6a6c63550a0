"""ViViT-B/16x2, model 4, K400 (https://arxiv.org/abs/2103.15691).

Published: 76.3 % top-1 (paper, memory), 32x4x3 views.
Ours: not run yet.
    tools/dist_train.sh configs/vivit/b16x2_fdp_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400_vivit.py',
    '../_base_/schedules/sgd_30e.py',
    '../_base_/default_runtime.py',
]

# ViViTRecognizer is Recognizer3D; checkpoints of scenic and of Hugging Face
# fit it as they are.
model = dict(
    type='ViViTRecognizer',
    backbone=dict(
        type='ViViTFactorisedDotProduct',
        arch='base-p16',
        num_frames=32,
        tubelet_size=2,
        pretrained='scenic/ViT_B_16_ImageNet21k',
    ),
    cls_head=dict(
        type='ViViTHead',
        num_classes=400,
        in_channels=768,
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
