"""Swin-B, 32 frames, SSv2, from an image Swin that was trained with labels.

A baseline of BEVT (https://arxiv.org/abs/2112.01529).
Published: BEVT is 4.3 points above it.
    tools/dist_train.sh configs/bevt/swinb_ssv2_supervised.py 8 --amp
"""
_base_ = './swinb_ssv2.py'

source = 'microsoft/swin_base_patch4_window7_224'
model = dict(backbone=dict(pretrained=source))
