# ImageNet-1K without its labels, for masked prediction. No random resizing of
# the crop, unlike BEiT. The list is longer than that of the videos, so that
# an epoch of both ends with the videos.
image_pipeline = [
    dict(type='ImageDecode'),
    dict(
        type='RandomRescale',
        scale_range=(256, 320),
        interpolation='bicubic',
    ),
    dict(
        type='ColorJitter',
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.0,
    ),
    dict(type='RandomCrop', size=224),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=112),
    dict(type='FormatShape', input_format='NCHW', collapse=True),
    dict(type='BlockMask', grid=14, num_masked=98, min_block=16),
    dict(
        type='PackActionInputs',
        meta_keys=('img_shape', 'filename'),
        algorithm_keys=('mask', 'view'),
    ),
]
image_dataset = dict(
    type='ImageListDataset',
    ann_file='data/imagenet/ILSVRC2012_name_train_list.txt',
    data_prefix=dict(img='data/imagenet/train'),
    pipeline=image_pipeline,
)
image_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='RepeatDataset', times=5, dataset=image_dataset),
)
