# Kinetics-400 as EVL samples and augments it: 8 x 16 frames, 3 x 1 test views.
# RandAugment comes before the crop. There is no flip: the official code keeps
# a `mirror` and never reads it.
_base_ = './kinetics400.py'

train_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='ExactSpanSampleFrames', clip_len=8, frame_interval=16),
    dict(type='VideoDecode'),
    dict(type='ClipRandAugment', num_ops=4, magnitude=7, magnitude_std=0.5),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
val_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(
        type='ExactSpanSampleFrames',
        clip_len=8,
        frame_interval=16,
        test_mode=True,
    ),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
test_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(
        type='ExactSpanSampleFrames',
        clip_len=8,
        frame_interval=16,
        num_clips=3,
        test_mode=True,
    ),
    *val_pipeline[2:],
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
