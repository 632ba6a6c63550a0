"""DualPath ViT-L/14, 16 frames, K400 (https://arxiv.org/abs/2303.09857).

Published: 87.7 / 97.8 % top-1 / top-5 (Papers with Code); its views are not
verified, 16x3x1 here.
    tools/dist_train.sh configs/dualpath/vitl14_k400.py 8
"""
_base_ = './vitb16_k400.py'

model = dict(backbone=dict(trunk='openai/ViT-L-14', output_dims=768))
