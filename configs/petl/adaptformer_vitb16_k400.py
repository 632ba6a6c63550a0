"""AdaptFormer-64 ViT-B/16, 8 frames, K400 (https://arxiv.org/abs/2205.13535).

Published: no figure in the sources at hand.
    tools/dist_train.sh configs/petl/adaptformer_vitb16_k400.py 8
"""
_base_ = './linear_probe_vitb16_k400.py'

# Width and factor of the paper, unverified: 64 and 0.1.
model = dict(
    backbone=dict(type='AdaptFormer', adapter_dims=64, adapter_scale=0.1)
)
