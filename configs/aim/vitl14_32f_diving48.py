"""AIM ViT-L/14, 32 frames, Diving-48 (https://arxiv.org/abs/2302.03024).

Published: 90.6 % top-1 (official README), 32x1x1 views.
    tools/dist_train.sh configs/aim/vitl14_32f_diving48.py 8
"""
_base_ = './vitb16_32f_diving48.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14'))
