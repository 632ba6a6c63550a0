# The rendered clips of the quick start, ten motions: 8 frames of 32 px.
data_root = '{{$QUICKSTART:quickstart}}/clips/'

train_pipeline = [
    dict(type='VideoInit'),
    dict(type='MidpointUniformSample', clip_len=8),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 36), interpolation='area'),
    dict(type='RandomCrop', size=32),
    # In a mirror left is right, and clockwise is anticlockwise.
    dict(type='Flip', flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
]
test_pipeline = [
    dict(type='VideoInit'),
    dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 36), interpolation='area'),
    dict(type='CenterCrop', crop_size=32),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
]
# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_train.txt',
        data_prefix=dict(video=data_root),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=20,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_val.txt',
        data_prefix=dict(video=data_root),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
