# What views for masked prediction have in common, by name: short side 256 to
# 320, bicubic, the tokenizer's copy at 112 px; clips and images lose half of
# their patches. A view takes it out of its base: `_base_.pop('masked')`.
rescale = dict(
    type='RandomRescale', scale_range=(256, 320), interpolation='bicubic'
)
crop = [
    dict(type='RandomCrop', size=224),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=112),
]
pack = dict(
    type='PackActionInputs',
    meta_keys=('img_shape', 'filename'),
    algorithm_keys=('mask', 'view'),
)
tubes = dict(
    type='TubeMask', num_frames=8, grid=14, num_masked=98, min_block=16
)
masked = dict(
    init=dict(type='VideoInit', backend='auto'),
    clip=[
        dict(type='VideoDecode'),
        rescale,
        *crop,
        dict(type='FormatShape', input_format='NCTHW', collapse=True),
        tubes,
        pack,
    ],
    image=[
        rescale,
        dict(
            type='ColorJitter',
            brightness=0.4,
            contrast=0.4,
            saturation=0.4,
            hue=0.0,
        ),
        *crop,
        dict(type='FormatShape', input_format='NCHW', collapse=True),
        dict(type='BlockMask', grid=14, num_masked=98, min_block=16),
        pack,
    ],
)
del rescale, crop, pack, tubes
