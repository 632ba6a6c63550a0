"""EVL ViT-B/16, 8 frames, SSv2 (https://arxiv.org/abs/2208.03550).

Published: 61.0 % top-1, 8x1x3 views (paper, unverified; author: 61).
Ours: not run yet.
    tools/dist_train.sh configs/evl/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/datasets/sthv2_evl.py',
    '../_base_/schedules/adamw_45e.py',
    '../_base_/default_runtime.py',
]

# Decoder layers, steps and sampling are the author's words, not code: the
# official repository has no script for this data set.
model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        num_frames=8,
        decoder_num_layers=12,
    ),
    cls_head=dict(
        type='EVLHead',
        num_classes=174,
        in_channels=768,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=3),
)
