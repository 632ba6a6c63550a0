"""The spatial path of DualPath alone: eight sparse frames of a clip.

Ten motions, chance 10 %. Ours: see README.md beside this file.
    python tools/train.py configs/quickstart/dualpath_motion_spatial.py
"""
_base_ = './dualpath_motion.py'

model = dict(
    backbone=dict(paths=('spatial', )), cls_head=dict(in_channels=96))
