"""BEVT stage 1, Swin-B, images only (https://arxiv.org/abs/2112.01529).

Published: the weights, 800 epochs of ImageNet-1K, and nothing of the recipe.
This one is ours, after BEiT: batch 2,048, 1.5e-3, drop path 0.1.
    tools/dist_train.sh configs/bevt/pretrain_swinb_in1k.py 32 --amp
"""
_base_ = [
    '../_base_/datasets/imagenet_masked.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/default_runtime.py',
]

# Windows of one frame: the tables are those of an image Swin. The joint stage
# goes on with the official mask of the image stream, so it is used here, too.
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTSwin',
        arch='base',
        window_size=(1, 7, 7),
        streams=('image',),
        drop_path_rate=0.1,
    ),
    cls_head=dict(type='BEVTHead', num_classes=8192, in_channels=1024),
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
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=800, end=800, eta_min=1e-5)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
