"""EVL ViT-B/16, 8 frames, Kinetics-400 (https://arxiv.org/abs/2208.03550).

Published: 82.8 / 95.8 % top-1 / top-5, 8x3x1 views (official README).
Ours: not run yet.
    tools/dist_train.sh configs/evl/vitb16_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400_evl.py',
    '../_base_/schedules/adamw_53e.py',
    '../_base_/default_runtime.py',
]

# EVLRecognizer is Recognizer3D; official checkpoints fit it as they are.
model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        num_frames=8,
        decoder_num_layers=4,
    ),
    cls_head=dict(
        type='EVLHead',
        num_classes=400,
        in_channels=768,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
