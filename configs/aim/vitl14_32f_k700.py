"""AIM ViT-L/14, 32 frames, Kinetics-700 (https://arxiv.org/abs/2302.03024).

Published: 80.4 % top-1 (official README), 32x3x3 views.
    tools/dist_train.sh configs/aim/vitl14_32f_k700.py 8
"""
_base_ = './vitb16_32f_k700.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14'))
