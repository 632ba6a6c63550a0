"""Probe on ViT-L/14, 16 frames, Diving-48 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/attentive_probe/vitl14_16f_diving48.py 8
"""
_base_ = './vitb16_16f_diving48.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14'))
