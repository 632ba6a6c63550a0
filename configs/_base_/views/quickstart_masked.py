# What the quick start's views for masked prediction have in common, by name.
# A view takes it out of its base: `_base_.pop('masked')`.
picture = [
    dict(type='Resize', scale=(-1, 72), interpolation='area'),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=64),
]
pack = dict(
    type='PackActionInputs',
    meta_keys=('img_shape', 'filename'),
    algorithm_keys=('mask', 'view'),
)
tubes = dict(
    type='TubeMask', num_frames=4, grid=8, num_masked=32, min_block=6
)
masked = dict(
    clip=[
        dict(type='VideoInit', backend='auto'),
        dict(type='MidpointUniformSample', clip_len=8),
        dict(type='VideoDecode'),
        *picture,
        dict(type='FormatShape', input_format='NCTHW', collapse=True),
        tubes,
        pack,
    ],
    image=[
        dict(type='ImageDecode'),
        *picture,
        dict(type='FormatShape', input_format='NCHW', collapse=True),
        dict(type='BlockMask', grid=8, num_masked=32, min_block=6),
        pack,
    ],
)
del picture, pack, tubes
