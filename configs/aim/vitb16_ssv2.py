"""AIM ViT-B/16, 8 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 66.4 % top-1 (third party), 90.5 % top-5 (paper, unverified),
8x1x3 views.
Ours: not run yet.
    tools/dist_train.sh configs/aim/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/datasets/sthv2.py',
    '../_base_/schedules/adamw_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIM',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        num_frames=8,
        num_t_adapters=2,
        adapter_scale=1.0,
        drop_path_rate=0.2,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=174,
        in_channels=768,
        label_smooth_eps=0.1,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.769, 116.74, 104.04],
        std=[68.493, 66.63, 70.321],
        blending=dict(type='VideoRandomErasing', prob=0.25),
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=2),
)
