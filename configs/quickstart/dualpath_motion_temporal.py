"""The temporal path of DualPath alone: framesets of 2 x 2 of 16 frames.

Ten motions, chance 10 %. Ours: see README.md beside this file.
    python tools/train.py configs/quickstart/dualpath_motion_temporal.py
"""
_base_ = './dualpath_motion.py'

model = dict(
    backbone=dict(paths=('temporal', )), cls_head=dict(in_channels=96))
