"""EVL ViT-L/14 at 336 px, 32 frames, K400 (https://arxiv.org/abs/2208.03550).

Published: 87.7 / 97.8 % top-1 / top-5, 32x1x3 views (official README).
Ours: not run yet.
    tools/dist_train.sh configs/evl/vitl14-336_32f_k400.py 8
"""
_base_ = [
    '../_base_/datasets/kinetics400_evl.py',
    '../_base_/schedules/adamw_53e.py',
    '../_base_/default_runtime.py',
]

# The official code has no preset of 336 px; the size of the row is made here.
model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        arch='large-p14-336',
        img_size=336,
        pretrained='openai/ViT-L-14-336px',
        num_frames=32,
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
    test_cfg=dict(max_testing_views=1),
)

# 8 GPUs x 8 clips x 4 accumulated steps are the batch of 256.
optim_wrapper = dict(accumulative_counts=4)
auto_scale_lr = dict(base_batch_size=64)

train_pipeline, val_pipeline = _base_.train_pipeline, _base_.val_pipeline
test_pipeline = _base_.test_pipeline
for p in (train_pipeline, val_pipeline, test_pipeline):
    p[1].update(clip_len=32, frame_interval=8, num_clips=1)
del p
train_pipeline[5].scale = (336, 336)
for p, crop in ((val_pipeline, 'CenterCrop'), (test_pipeline, 'ThreeCrop')):
    p[3].scale = (-1, 336)
    p[4].update(type=crop, crop_size=336)
del p, crop
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
