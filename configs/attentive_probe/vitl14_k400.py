"""Probe on ViT-L/14, 8 frames, K400 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/attentive_probe/vitl14_k400.py 8
"""
_base_ = './vitb16_k400.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14'))
