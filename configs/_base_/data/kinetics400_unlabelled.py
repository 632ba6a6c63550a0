# Kinetics-400 without its labels: no splits to test. Videos that are stored at
# a short side of 256, as the authors' are, decode faster.
train_dataloader = dict(
    batch_size=4,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CheckedVideoDataset',
        ann_file='data/kinetics400/kinetics400_train_list_videos.txt',
        data_prefix=dict(video='data/kinetics400/videos_train'),
    ),
)
