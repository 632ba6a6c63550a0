# What views of few clips have in common, by name. A view takes it out of its
# base: `_base_.pop('steps')`.
steps = dict(
    init=dict(type='VideoInit', backend='auto'),
    decode=dict(type='VideoDecode'),
    crop=dict(
        type='RandomResizedCrop',
        area_range=(0.5, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
    ),
    colours=dict(
        type='ColorJitter',
        brightness=0.3,
        contrast=0.3,
        saturation=0.3,
        hue=0.05,
    ),
    finish=[
        dict(type='FormatShape', input_format='NCTHW'),
        dict(
            type='PackActionInputs',
            meta_keys=('img_shape', 'img_key', 'filename'),
        ),
    ],
)
