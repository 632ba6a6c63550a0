"""Swin-B, 32 frames, SSv2, from BEVT's video stream alone.

A baseline of BEVT (https://arxiv.org/abs/2112.01529).
Published: it is below the joint stage.
    tools/dist_train.sh configs/bevt/swinb_ssv2_video_stream.py 8 --amp
"""
_base_ = './swinb_ssv2.py'

source = 'work_dirs/pretrain_swinb_k400/epoch_150.pth'
model = dict(backbone=dict(pretrained=source))
