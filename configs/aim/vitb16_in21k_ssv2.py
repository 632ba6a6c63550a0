"""AIM ViT-B/16 (IN-21K), 8 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 62.0 % top-1 (third party), 8x1x3 views.
    tools/dist_train.sh configs/aim/vitb16_in21k_ssv2.py 8
"""
_base_ = './vitb16_ssv2.py'
imagenet = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
model = dict(
    # The official normalisation; timm's own for these weights is 127.5.
    backbone=dict(
        trunk=dict(_delete_=True, name='timm/jx_vit_base_p16_224', **imagenet)),
    data_preprocessor=imagenet,
)
del imagenet
