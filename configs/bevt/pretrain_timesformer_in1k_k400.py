"""BEVT stage 2, TimeSformer-B (https://arxiv.org/abs/2112.01529).

Published: that it helps; nothing of how. This reading and recipe are ours.
    tools/dist_train.sh configs/bevt/pretrain_timesformer_in1k_k400.py 32 --amp
"""
_base_ = [
    '../_base_/datasets/kinetics400_masked.py',
    '../_base_/datasets/imagenet_masked.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTTimeSformer',
        arch='base',
        num_frames=8,
        pretrained='work_dirs/pretrain_timesformer_in1k/epoch_800.pth',
    ),
    cls_head=dict(type='BEVTHead', num_classes=8192, in_channels=768),
    tokenizer=dict(
        type='DALLETokenizer', pretrained='openmmlab/dalle_encoder'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='MIX2d3d',
    ),
)

video_pipeline = _base_.video_pipeline
video_pipeline[1].update(clip_len=8, frame_interval=32)
train_dataloader = dict(dataset=dict(pipeline=video_pipeline))
train_cfg = dict(
    type='MultiLoaderEpochBasedTrainLoop',
    other_loaders=[_base_.image_dataloader],
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(
            norm=dict(decay_mult=0.0),
            cls_token=dict(decay_mult=0.0),
            pos_embed=dict(decay_mult=0.0),
            time_embed=dict(decay_mult=0.0),
        ),
    ),
)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
