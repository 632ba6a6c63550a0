"""BEVT stage 1, Swin-B, images only (https://arxiv.org/abs/2112.01529).

Published: the weights, 800 epochs of ImageNet-1K, and nothing of the recipe.
This one is ours, after BEiT: batch 2,048, 1.5e-3, drop path 0.1.
    tools/dist_train.sh configs/bevt/pretrain_swinb_in1k.py 32 --amp
"""
_base_ = [
    '../_base_/data/imagenet_unlabelled.py',
    '../_base_/views/masked_image.py',
    '../_base_/models/bevt_pretraining.py',
    '../_base_/schedules/adamw_800e_masked.py',
    '../_base_/runtime.py',
]

# Windows of one frame: the tables are those of an image Swin. The joint stage
# goes on with the official mask of the image stream, so it is used here, too.
model = dict(
    backbone=dict(
        type='BEVTSwin',
        arch='base',
        window_size=(1, 7, 7),
        streams=('image',),
        drop_path_rate=0.1,
    ),
    cls_head=dict(in_channels=1024),
)
_base_.image_dataset.pipeline = _base_.image_pipeline
train_dataloader = dict(_base_.image_dataloader, dataset=_base_.image_dataset)
default_hooks = dict(checkpoint=dict(save_best=None))  # nothing to compare
