# HMDB51, split 1, as DualPath samples and augments it: 16 frames, 3 x 1 test
# views.
_base_ = './kinetics400_dualpath.py'

train_dataloader = dict(
    dataset=dict(
        ann_file='data/hmdb51/hmdb51_train_split_1_videos.txt',
        data_prefix=dict(video='data/hmdb51/videos'),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='data/hmdb51/hmdb51_val_split_1_videos.txt',
        data_prefix=dict(video='data/hmdb51/videos'),
    )
)
test_dataloader = val_dataloader
