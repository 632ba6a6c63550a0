"""The same without temporal modules: blind to the order of frames.

It can only guess within a pair of motions.
    python tools/train.py configs/quickstart/evl_motion_no_time.py
"""
_base_ = './aim_motion.py'

model = dict(
    type='EVLRecognizer',
    backbone=dict(type='EVL', decoder_dropout=0.0, temporal=()),
    cls_head=dict(type='EVLHead'))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
