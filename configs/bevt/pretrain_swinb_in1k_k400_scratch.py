"""BEVT without stage 1: the joint stage from random weights.

A baseline of the paper (https://arxiv.org/abs/2112.01529), which says that it
is below the two stages and above one stream; its figures are not at hand.
    tools/dist_train.sh configs/bevt/pretrain_swinb_in1k_k400_scratch.py 32
"""
_base_ = './pretrain_swinb_in1k_k400.py'

model = dict(backbone=dict(pretrained=None))
