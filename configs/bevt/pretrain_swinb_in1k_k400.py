"""BEVT stage 2, Swin-B, clips and images (https://arxiv.org/abs/2112.01529).

Published: 150 epochs of Kinetics-400 on 32 GPUs, from stage 1; the weights.
    tools/dist_train.sh configs/bevt/pretrain_swinb_in1k_k400.py 32 --amp
"""
_base_ = [
    '../_base_/datasets/kinetics400_masked.py',
    '../_base_/datasets/imagenet_masked.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/default_runtime.py',
]

# A checkpoint of pretrain_swinb_in1k.py takes the place of the released one:
# model.backbone.pretrained=work_dirs/pretrain_swinb_in1k/epoch_800.pth
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTSwin',
        arch='base',
        num_frames=16,
        window_size=(8, 7, 7),
        drop_path_rate=0.3,
        pretrained='bevt/swinb_in1k',
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

# 4 clips and 32 images in every forward pass of a GPU.
train_cfg = dict(
    type='MultiLoaderEpochBasedTrainLoop',
    other_loaders=[_base_.image_dataloader],
)
# Official: --seed 0 --deterministic, which was cuDNN's alone. mmengine's flag
# refuses, besides, whatever has no deterministic kernel, so it is left off.
randomness = dict(seed=0)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
