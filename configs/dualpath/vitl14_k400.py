"""DualPath ViT-L/14, 16 frames, K400 (https://arxiv.org/abs/2303.09857).

Published: 87.7 / 97.8 % top-1 / top-5 (Papers with Code); frames and views of
the row are not verified, 16x3x1 here.
Ours: not run yet.
    tools/dist_train.sh configs/dualpath/vitl14_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400_dualpath.py',
    '../_base_/schedules/adamw_warm3_50e.py',
    '../_base_/default_runtime.py',
]

# No recipe of this row is published: rate, epochs and erasing (none) are those
# of the released command lines nearest to it, and not verified.
model = dict(
    type='DualPathRecognizer',
    backbone=dict(
        type='DualPath',
        arch='large-p14',
        pretrained='openai/ViT-L-14',
        num_frames=16,
        variant='paper',
        output_dims=768,
    ),
    cls_head=dict(
        type='DualPathHead',
        num_classes=400,
        in_channels=1536,
        average_clips='score',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(optimizer=dict(lr=8.75e-5))
