# Ten drawn gestures, real videos: docs/evidence.md.
num_classes = 10
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file='data/gestures/train.txt',
        data_prefix=dict(video='data/gestures'),
    ),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        ann_file='data/gestures/val.txt',
        data_prefix=dict(video='data/gestures'),
        test_mode=True,
    ),
)
test_evaluator = dict(type='AccMetric')
