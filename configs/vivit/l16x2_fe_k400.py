"""ViViT-L/16x2, model 2, Kinetics-400 (https://arxiv.org/abs/2103.15691).

Published: 80.6 % top-1 (paper, unverified); 80.3 % top-1 (official README,
released weights), 32x4x3 views.
    tools/dist_train.sh configs/vivit/l16x2_fe_k400.py 8
"""
_base_ = './b16x2_fe_k400.py'

model = dict(
    backbone=dict(
        trunk='scenic/ViT_L_16_ImageNet21k', temporal_num_layers=24),
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
