"""Linear probe of CLIP ViT-B/16, 8 frames, K400 (https://arxiv.org/abs/2103.00020).

Published: no figure in the sources at hand. Ours: not run yet.
    tools/dist_train.sh configs/petl/linear_probe_vitb16_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/default_runtime.py',
]

# Data, views and schedule are AIM's, in this row and in all that inherit it,
# so that rows differ by the method alone. None was tuned for one of them.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ImageViT', arch='base-p16', pretrained='openai/ViT-B-16'
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=400,
        in_channels=768,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.769, 116.74, 104.04],
        std=[68.493, 66.63, 70.321],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
