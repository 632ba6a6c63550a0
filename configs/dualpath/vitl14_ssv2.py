"""DualPath ViT-L/14, 16 frames, SSv2 (https://arxiv.org/abs/2303.09857).

Published: 72.2 / 93.7 % top-1 / top-5 (paper, unverified); frames and
views of the row are not verified, 16x1x3 here.
Ours: not run yet.
    tools/dist_train.sh configs/dualpath/vitl14_ssv2.py 8
"""
_base_ = [
    '../_base_/datasets/sthv2_dualpath.py',
    '../_base_/schedules/adamw_warm3_60e.py',
    '../_base_/default_runtime.py',
]

# The recipe of ViT-B/16; none of ViT-L/14 is published.
model = dict(
    type='DualPathRecognizer',
    backbone=dict(
        type='DualPath',
        arch='large-p14',
        pretrained='openai/ViT-L-14',
        num_frames=16,
        variant='paper-ssv2',
        output_dims=768,
    ),
    cls_head=dict(
        type='DualPathHead',
        num_classes=174,
        in_channels=1536,
        average_clips='score',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        blending=dict(type='VideoRandomErasing', prob=0.1),
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=2),
)
optim_wrapper = dict(optimizer=dict(lr=8.75e-5))
