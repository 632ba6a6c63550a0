# Something-Something V2 as ViViT samples and augments it: 32 x 1 frames of
# 256 px, 4 x 3 test views. Short side 288 jittered by 0.9 to 1.33. Of the two
# operations of RandAugment drawn for a clip, each is done half of the time;
# no flip: there are classes of left and right.
_base_ = './sthv2.py'

num_frames = 32
train_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='SampleFrames', clip_len=num_frames, frame_interval=1),
    dict(type='VideoDecode'),
    dict(type='RandomRescale', scale_range=(259, 383)),
    dict(type='RandomCrop', size=256),
    dict(
        type='ClipRandAugment',
        num_ops=2,
        magnitude=20,
        magnitude_std=0,
        total_level=30,
        policies='non_geometric',
    ),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
val_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(
        type='SampleFrames',
        clip_len=num_frames,
        frame_interval=1,
        test_mode=True,
    ),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 288)),
    dict(type='CenterCrop', crop_size=256),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
test_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(
        type='SampleFrames',
        clip_len=num_frames,
        frame_interval=1,
        num_clips=4,
        test_mode=True,
    ),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 288)),
    dict(type='CentredThreeCrop', crop_size=256),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
