"""DualPath ViT-L/14, 16 frames, SSv2 (https://arxiv.org/abs/2303.09857).

Published: 72.2 / 93.7 % top-1 / top-5 (paper, unverified); its views are not
verified, 16x1x3 here.
    tools/dist_train.sh configs/dualpath/vitl14_ssv2.py 8
"""
_base_ = './vitb16_ssv2.py'
# The recipe of ViT-B/16; none of ViT-L/14 is published.
model = dict(backbone=dict(trunk='openai/ViT-L-14', output_dims=768))
