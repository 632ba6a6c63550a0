"""EVL ViT-L/14, 32 frames, SSv2 (https://arxiv.org/abs/2208.03550).

Published: 66.7 % top-1, 32x1x3 views (paper, unverified).
Ours: not run yet.
    tools/dist_train.sh configs/evl/vitl14_32f_ssv2.py 8
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
        arch='large-p14',
        pretrained='openai/ViT-L-14',
        num_frames=32,
        decoder_num_layers=12,
    ),
    cls_head=dict(
        type='EVLHead',
        num_classes=174,
        in_channels=1024,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=1),
)

# 8 GPUs x 8 clips x 4 accumulated steps are the batch of 256.
optim_wrapper = dict(accumulative_counts=4)
auto_scale_lr = dict(base_batch_size=64)

train_pipeline, val_pipeline = _base_.train_pipeline, _base_.val_pipeline
test_pipeline = _base_.test_pipeline
for p in (train_pipeline, val_pipeline, test_pipeline):
    p[1].update(clip_len=32)
del p
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
