"""BEVT stage 2, TimeSformer-B (https://arxiv.org/abs/2112.01529).

Published: that it helps; nothing of how. This reading and recipe are ours.
    tools/dist_train.sh configs/bevt/pretrain_timesformer_in1k_k400.py 32 --amp
"""
_base_ = [
    '../_base_/data/kinetics400_unlabelled.py',
    '../_base_/data/imagenet_unlabelled.py',
    '../_base_/views/masked_clip_8x32.py',
    '../_base_/views/masked_image.py',
    '../_base_/models/bevt_pretraining.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(
        type='BEVTTimeSformer',
        arch='base',
        num_frames=8,
        pretrained='work_dirs/pretrain_timesformer_in1k/epoch_800.pth',
    ),
    cls_head=dict(in_channels=768),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.video_pipeline))
_base_.image_dataset.pipeline = _base_.image_pipeline
_base_.image_dataloader.dataset.dataset = _base_.image_dataset
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
