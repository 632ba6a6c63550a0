"""Probe on ViT-L/14, 8 frames, SSv2 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/attentive_probe/vitl14_ssv2.py 8
"""
_base_ = './vitb16_ssv2.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14'))
