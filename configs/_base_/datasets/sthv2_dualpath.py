# Something-Something V2 as DualPath samples and augments it: 16 frames, 1 x 3
# test views. No flip: there are classes of left and right.
_base_ = './kinetics400_dualpath.py'

train_pipeline = [s for s in _base_.train_pipeline if s.type != 'Flip']
test_pipeline = [*_base_.val_pipeline]
test_pipeline[4] = dict(type='ThreeCrop', crop_size=224)
train_dataloader = dict(
    dataset=dict(
        ann_file='data/sthv2/sthv2_train_list_videos.txt',
        data_prefix=dict(video='data/sthv2/videos'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='data/sthv2/sthv2_val_list_videos.txt',
        data_prefix=dict(video='data/sthv2/videos'),
    )
)
test_dataloader = dict(
    dataset=dict(
        ann_file='data/sthv2/sthv2_val_list_videos.txt',
        data_prefix=dict(video='data/sthv2/videos'),
        pipeline=test_pipeline,
    )
)
