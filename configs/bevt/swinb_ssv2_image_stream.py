"""Swin-B, 32 frames, SSv2, from BEVT's image stream alone (stage 1).

A baseline of BEVT (https://arxiv.org/abs/2112.01529).
Published: it is below the joint stage.
    tools/dist_train.sh configs/bevt/swinb_ssv2_image_stream.py 8 --amp
"""
_base_ = './swinb_ssv2.py'

source = 'bevt/swinb_in1k'
model = dict(backbone=dict(pretrained=source))
