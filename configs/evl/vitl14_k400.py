"""EVL ViT-L/14, 8 frames, Kinetics-400 (https://arxiv.org/abs/2208.03550).

Published: 86.3 / 97.2 % top-1 / top-5, 8x3x1 views (official README).
Ours: not run yet.
    tools/dist_train.sh configs/evl/vitl14_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400_evl.py',
    '../_base_/schedules/adamw_53e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        arch='large-p14',
        pretrained='openai/ViT-L-14',
        num_frames=8,
        decoder_num_layers=4,
    ),
    cls_head=dict(
        type='EVLHead',
        num_classes=400,
        in_channels=1024,
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

# 8 GPUs x 8 clips x 4 accumulated steps are the batch of 256.
optim_wrapper = dict(accumulative_counts=4)
auto_scale_lr = dict(base_batch_size=64)
train_dataloader = dict(batch_size=8)
