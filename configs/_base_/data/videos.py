# What every set of labelled videos has. A set says where its videos lie, a
# view what is done with them; a config puts the pipelines into the loaders.
dataset_type = 'CheckedVideoDataset'

# Workers start anew every epoch: `seed_worker` makes a resumed run draw what
# an uninterrupted one draws.
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type=dataset_type),
)
# mmaction2 tests one video at a time where `max_testing_views` is set.
val_dataloader = dict(
    batch_size=1,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, test_mode=True),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
