"""BEVT's video stream alone, from random weights.

A baseline of the paper (https://arxiv.org/abs/2112.01529).
    tools/dist_train.sh configs/bevt/pretrain_swinb_k400.py 32 --amp
"""
_base_ = './pretrain_swinb_in1k_k400.py'

model = dict(backbone=dict(streams=('video', ), pretrained=None))
train_cfg = dict(
    _delete_=True, type='EpochBasedTrainLoop', max_epochs=150)
