# Diving-48 as DualPath samples and augments it: 16 frames, 3 x 1 test views.
_base_ = './kinetics400_dualpath.py'

train_dataloader = dict(
    dataset=dict(
        ann_file='data/diving48/diving48_train_list_videos.txt',
        data_prefix=dict(video='data/diving48/videos'),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='data/diving48/diving48_val_list_videos.txt',
        data_prefix=dict(video='data/diving48/videos'),
    )
)
test_dataloader = val_dataloader
