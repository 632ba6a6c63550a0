"""Swin-B, 32 frames, SSv2, from a joint stage without stage 1.

A baseline of BEVT (https://arxiv.org/abs/2112.01529).
Published: it is below the two stages.
    tools/dist_train.sh configs/bevt/swinb_ssv2_joint_scratch.py 8 --amp
"""
_base_ = './swinb_ssv2.py'

source = 'work_dirs/pretrain_swinb_in1k_k400_scratch/epoch_150.pth'
model = dict(backbone=dict(pretrained=source))
