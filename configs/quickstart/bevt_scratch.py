"""The same small Video Swin on ten motions, from random weights.

    python tools/train.py quickstart/bevt_scratch \
        --work-dir quickstart/bevt_scratch
"""
_base_ = './bevt_finetune.py'

model = dict(backbone=dict(pretrained=None))
