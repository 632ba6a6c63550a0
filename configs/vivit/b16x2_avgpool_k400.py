"""ViViT-B/16x2, model 2 without temporal encoder, K400 (https://arxiv.org/abs/2103.15691).

Published: 75.8 % top-1 (paper, unverified), 32x4x3 views.
    tools/dist_train.sh configs/vivit/b16x2_avgpool_k400.py 8
"""
_base_ = './b16x2_fe_k400.py'

model = dict(backbone=dict(temporal_num_layers=0))
