# What views of attentive probes on image trunks have in common, by name: 224
# px, RandAugment before a resized crop; short side 256 in tests. A view takes
# it out of its base: `_base_.pop('probe')`.
_base_ = './steps.py'

steps = _base_.pop('steps')
probe = dict(
    init=steps.init,
    train=[*steps.evl_crop, *steps.finish],
    flip=[*steps.evl_crop, steps.flip, *steps.finish],
    center=steps.center_256,
    three=[
        steps.decode,
        dict(type='Resize', scale=(-1, 256)),
        dict(type='CentredThreeCrop', crop_size=224),
        *steps.finish,
    ],
)
del steps
