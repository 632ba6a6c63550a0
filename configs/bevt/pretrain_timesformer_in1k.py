"""BEVT stage 1, TimeSformer-B, images only (https://arxiv.org/abs/2112.01529).

Published: nothing. This reading is ours, and so is the recipe: the one of
pretrain_swinb_in1k.py, after BEiT, with absolute positions.
    tools/dist_train.sh configs/bevt/pretrain_timesformer_in1k.py 32 --amp
"""
_base_ = [
    '../_base_/data/imagenet_unlabelled.py',
    '../_base_/views/masked_image.py',
    '../_base_/models/bevt_pretraining.py',
    '../_base_/schedules/adamw_800e_masked.py',
    '../_base_/runtime.py',
]

# The attention over time and its embedding wait, frozen, for the joint stage.
model = dict(
    backbone=dict(
        type='BEVTTimeSformer',
        arch='base',
        num_frames=8,
        streams=('image',),
    ),
    cls_head=dict(in_channels=768),
)
_base_.image_dataset.pipeline = _base_.image_pipeline
train_dataloader = dict(_base_.image_dataloader, dataset=_base_.image_dataset)
optim_wrapper = dict(
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(
            norm=dict(decay_mult=0.0),
            cls_token=dict(decay_mult=0.0),
            pos_embed=dict(decay_mult=0.0),
        ),
    ),
)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
