"""ST-Adapter ViT-B/16, 8 frames, Kinetics-400 (https://arxiv.org/abs/2206.13559).

Published: 82.0 % top-1 (paper, through a third party), 8x3x1 views.
    tools/dist_train.sh configs/petl/st_adapter_vitb16_k400.py 8
"""
_base_ = './linear_probe_vitb16_k400.py'

# One adapter of width 384 in a block: the paper's, unverified; its GFLOPs
# agree. Its own schedule (20 epochs at 5e-4, unverified) is not used.
model = dict(
    backbone=dict(type='STAdapter', num_frames=8, adapter_dims=384)
)
