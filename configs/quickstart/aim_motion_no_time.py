"""The same without temporal adaptation: blind to the order of frames.

It can only guess within a pair of motions. Expected: half of `aim_motion`.
    bash tools/dist_train.sh configs/quickstart/aim_motion_no_time.py 2
"""
_base_ = './aim_motion.py'

model = dict(
    backbone=dict(
        adapt=('spatial', 'joint'),
        # Without the temporal embedding, which stays zero.
        trainable=(r'.*_adapter\..*', r'ln_post\..*')))
