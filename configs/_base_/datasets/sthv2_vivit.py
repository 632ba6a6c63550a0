# Something-Something V2 as ViViT samples and augments it: as Kinetics-400, but
# 32 x 1 frames of 256 px, short side 288 jittered by 0.9 to 1.33. Of the two
# operations of RandAugment drawn for a clip, each is done half of the time;
# no flip: there are classes of left and right.
_base_ = './kinetics400_vivit.py'

data_root = 'data/sthv2/videos'
data_root_val = data_root
ann_file_train = 'data/sthv2/sthv2_train_list_videos.txt'
ann_file_val = 'data/sthv2/sthv2_val_list_videos.txt'
held_out = dict(ann_file=ann_file_val, data_prefix=dict(video=data_root_val))

train_pipeline = _base_.train_pipeline
train_pipeline[1].frame_interval = 1
train_pipeline[3].scale_range = (259, 383)
train_pipeline[4].size = 256
train_pipeline[5:8] = [
    dict(
        type='ClipRandAugment',
        num_ops=2,
        magnitude=20,
        magnitude_std=0,
        total_level=30,
        policies='non_geometric',
    )
]
val_pipeline = _base_.val_pipeline
val_pipeline[1].frame_interval = 1
val_pipeline[3].scale = (-1, 288)
val_pipeline[4].crop_size = 256
test_pipeline = _base_.test_pipeline
test_pipeline[1].frame_interval = 1
test_pipeline[3].scale = (-1, 288)
test_pipeline[4].crop_size = 256
train_dataloader = dict(
    dataset=dict(
        ann_file=ann_file_train,
        data_prefix=dict(video=data_root),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(dataset=dict(**held_out, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(**held_out, pipeline=test_pipeline))
