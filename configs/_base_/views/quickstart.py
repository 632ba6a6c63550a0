# What views of the quick start have in common, by name. A view takes it out of
# its base: `_base_.pop('steps')`.
decode = dict(type='VideoDecode')
short_36 = dict(type='Resize', scale=(-1, 36), interpolation='area')
short_72 = dict(type='Resize', scale=(-1, 72), interpolation='area')
steps = dict(
    init=dict(type='VideoInit', backend='auto'),
    train_32px=[decode, short_36, dict(type='RandomCrop', size=32)],
    test_32px=[decode, short_36, dict(type='CenterCrop', crop_size=32)],
    train_64px=[decode, short_72, dict(type='RandomCrop', size=64)],
    test_64px=[decode, short_72, dict(type='CenterCrop', crop_size=64)],
    # In a mirror left is right, and clockwise is anticlockwise.
    flip_motions=dict(type='Flip', flip_label_map={0: 1, 1: 0, 4: 5, 5: 4}),
    # A mirrored frame shows another appearance.
    flip_appearances=[
        dict(type='Flip', flip_label_map={2: 3, 3: 2, 4: 5, 5: 4}),
        dict(
            type='Flip',
            direction='vertical',
            flip_label_map={0: 1, 1: 0, 4: 5, 5: 4},
        ),
    ],
    finish=[
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs', meta_keys=('img_shape', 'filename')),
    ],
)
del decode, short_36, short_72
