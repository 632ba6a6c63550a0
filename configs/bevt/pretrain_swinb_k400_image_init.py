"""BEVT's video stream alone, from stage 1.

A baseline of the paper (https://arxiv.org/abs/2112.01529).
    tools/dist_train.sh configs/bevt/pretrain_swinb_k400_image_init.py 32
"""
_base_ = './pretrain_swinb_in1k_k400.py'

model = dict(backbone=dict(streams=('video', )))
train_cfg = dict(
    _delete_=True, type='EpochBasedTrainLoop', max_epochs=150)
