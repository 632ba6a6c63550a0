"""DualPath ViT-B/16, 16 frames, HMDB51 (https://arxiv.org/abs/2303.09857).

Published: 75.6 % top-1 (Papers with Code); frames and views of the row are
not verified, 16x3x1 here.
Ours: not run yet.
    tools/dist_train.sh configs/dualpath/vitb16_hmdb51.py 8
"""
_base_ = [
    '../_base_/datasets/hmdb51_dualpath.py',
    '../_base_/schedules/adamw_warm3_50e.py',
    '../_base_/default_runtime.py',
]

# 0.03 for 256 clips, as in the released command line: 40 times that of the
# other data sets.
model = dict(
    type='DualPathRecognizer',
    backbone=dict(
        type='DualPath',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        num_frames=16,
        variant='paper',
        output_dims=512,
    ),
    cls_head=dict(
        type='DualPathHead',
        num_classes=51,
        in_channels=1024,
        average_clips='score',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        blending=dict(type='VideoRandomErasing', prob=0.5),
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(optimizer=dict(lr=7.5e-3))
