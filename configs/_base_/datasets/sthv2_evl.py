# Something-Something V2 as EVL samples and augments it: 8 frames spread over
# the video, 1 x 3 test views, no flip. The official code cannot test this data
# set; the test frames here are the middles of the stretches that training
# draws from.
_base_ = './sthv2.py'

train_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='MidpointUniformSample', clip_len=8),
    dict(type='VideoDecode'),
    dict(type='ClipRandAugment', num_ops=4, magnitude=7, magnitude_std=0.5),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
val_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
test_pipeline = [*val_pipeline]
test_pipeline[4] = dict(type='ThreeCrop', crop_size=224)
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
