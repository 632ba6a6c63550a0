# What views of the gestures have in common, by name. A view takes it out of
# its base: `_base_.pop('steps')`.
steps = dict(
    init=dict(type='VideoInit', backend='auto'),
    decode=dict(type='VideoDecode'),
    crop=dict(type='RandomResizedCrop', area_range=(0.6, 1.0)),
    finish=[
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs'),
    ],
)
