# Kinetics-400 without its labels, for masked prediction: clips of 16 frames,
# short side 256 to 320, bicubic, the tokenizer's copy at 112 px. Videos that
# are stored at a short side of 256, as the authors' are, decode faster.
video_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='SampleFrames', clip_len=16, frame_interval=8, num_clips=1),
    dict(type='VideoDecode'),
    dict(
        type='RandomRescale',
        scale_range=(256, 320),
        interpolation='bicubic',
    ),
    dict(type='RandomCrop', size=224),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=112),
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='TubeMask', num_frames=8, grid=14, num_masked=98, min_block=16),
    dict(
        type='PackActionInputs',
        meta_keys=('img_shape', 'filename'),
        algorithm_keys=('mask', 'view'),
    ),
]
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
        pipeline=video_pipeline,
    ),
)
