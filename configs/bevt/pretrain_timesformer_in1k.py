"""BEVT stage 1, TimeSformer-B, images only (https://arxiv.org/abs/2112.01529).

Published: nothing. This reading is ours, and so is the recipe: the one of
pretrain_swinb_in1k.py, after BEiT, with absolute positions.
    tools/dist_train.sh configs/bevt/pretrain_timesformer_in1k.py 32 --amp
"""
_base_ = [
    '../_base_/datasets/imagenet_masked.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/default_runtime.py',
]

# The attention over time and its embedding wait, frozen, for the joint stage.
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTTimeSformer',
        arch='base',
        num_frames=8,
        streams=('image',),
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

train_dataloader = _base_.image_dataloader
train_dataloader.dataset = _base_.image_dataset
train_cfg = dict(max_epochs=800)
# 32 GPUs x 32 images x 2 forward passes.
auto_scale_lr = dict(base_batch_size=2048)
optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3),
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(
            norm=dict(decay_mult=0.0),
            cls_token=dict(decay_mult=0.0),
            pos_embed=dict(decay_mult=0.0),
        ),
    ),
)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=800, end=800, eta_min=1e-5)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
