# The rendered clips of the quick start, ten motions.
num_classes = 10
data_root = '{{$QUICKSTART:quickstart}}/clips/'

# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_train.txt',
        data_prefix=dict(video=data_root),
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
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
