"""BEVT stage 2, Swin-B, clips and images (https://arxiv.org/abs/2112.01529).

Published: 150 epochs of Kinetics-400 on 32 GPUs, from stage 1; the weights.
    tools/dist_train.sh configs/bevt/pretrain_swinb_in1k_k400.py 32 --amp
"""
_base_ = [
    '../_base_/data/kinetics400_unlabelled.py',
    '../_base_/data/imagenet_unlabelled.py',
    '../_base_/views/masked_clip_16x8.py',
    '../_base_/views/masked_image.py',
    '../_base_/models/bevt_pretraining.py',
    '../_base_/schedules/adamw_150e_masked.py',
    '../_base_/runtime.py',
]

# A checkpoint of pretrain_swinb_in1k.py takes the place of the released one:
# model.backbone.pretrained=work_dirs/pretrain_swinb_in1k/epoch_800.pth
model = dict(
    backbone=dict(
        type='BEVTSwin',
        arch='base',
        num_frames=16,
        window_size=(8, 7, 7),
        drop_path_rate=0.3,
        pretrained='bevt/swinb_in1k',
    ),
    cls_head=dict(in_channels=1024),
)

# 4 clips and 32 images in every forward pass of a GPU.
train_dataloader = dict(dataset=dict(pipeline=_base_.video_pipeline))
_base_.image_dataset.pipeline = _base_.image_pipeline
_base_.image_dataloader.dataset.dataset = _base_.image_dataset
train_cfg = dict(
    type='MultiLoaderEpochBasedTrainLoop',
    other_loaders=[_base_.image_dataloader],
)
# Official: --seed 0 --deterministic, which was cuDNN's alone. mmengine's flag
# refuses, besides, whatever has no deterministic kernel, so it is left off.
randomness = dict(seed=0)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
