"""ViViT, model 1 (spatio-temporal attention), on the quick start's motions, from scratch.

Ten motions, 8 frames of 32 px; chance 10 %.
    python tools/train.py configs/quickstart/vivit_1_motion.py
"""
_base_ = './aim_motion.py'

sizes = dict(embed_dims=96, num_layers=4, num_heads=4, patch_size=8)
model = dict(
    backbone=dict(
        _delete_=True, type='ViViT', arch=sizes,
        img_size=32, num_frames=8, tubelet_size=2))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
