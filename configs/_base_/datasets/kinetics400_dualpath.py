# Kinetics-400 as DualPath samples and augments it: 16 frames, 3 x 1 test
# views. Training strides are drawn from 1, 2, 4 and 8, testing has 4.
_base_ = './kinetics400.py'

train_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='RandomStrideSampleFrames', clip_len=16),
    dict(type='VideoDecode'),
    dict(type='ClipRandAugment', num_ops=2, magnitude=10, magnitude_std=0.0),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
val_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='RandomStrideSampleFrames', clip_len=16, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
test_pipeline = [*val_pipeline]
test_pipeline[1] = dict(
    type='RandomStrideSampleFrames', clip_len=16, num_clips=3, test_mode=True
)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
