"""EVL on the quick start's frozen trunk: ten motions, 8 frames of 32 px.

Chance 10 %; within a pair of motions only the order of frames decides.
    python tools/train.py configs/quickstart/evl_motion.py
"""
_base_ = './aim_motion.py'

model = dict(
    type='EVLRecognizer',
    backbone=dict(type='EVL', decoder_num_layers=4, decoder_dropout=0.0),
    cls_head=dict(type='EVLHead'))
keys = dict(temporal_pos_embed=dict(lr_mult=30), motion=dict(lr_mult=30))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=keys), optimizer=dict(
    lr=1e-3))
