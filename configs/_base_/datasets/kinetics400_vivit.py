# Kinetics-400 as ViViT samples and augments it: 32 x 2 frames, 4 x 3 test
# views. Short side 256 jittered by 0.9 to 1.33, random crop, flip, colours.
_base_ = './kinetics400.py'

num_frames = 32
train_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='SpreadSampleFrames', clip_len=num_frames, frame_interval=2),
    dict(type='VideoDecode'),
    dict(type='RandomRescale', scale_range=(230, 340)),
    dict(type='RandomCrop', size=224),
    dict(type='Flip', flip_ratio=0.5),
    dict(
        type='RandomApply',
        transforms=[
            dict(
                type='TorchVisionWrapper',
                op='ColorJitter',
                brightness=0.125,
                contrast=0.4,
                saturation=0.4,
                hue=0.2,
            )
        ],
        prob=0.8,
    ),
    dict(type='TorchVisionWrapper', op='RandomGrayscale', p=0.1),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
val_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(
        type='SpreadSampleFrames',
        clip_len=num_frames,
        frame_interval=2,
        test_mode=True,
    ),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    _base_.pack,
]
test_pipeline = [*val_pipeline]
test_pipeline[1] = dict(
    type='SpreadSampleFrames',
    clip_len=num_frames,
    frame_interval=2,
    num_clips=4,
    test_mode=True,
)
test_pipeline[4] = dict(type='CentredThreeCrop', crop_size=224)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
