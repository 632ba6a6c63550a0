# What views of V-JEPA 2's probes have in common, by name: 256 px, RandAugment
# before a resized crop; short side 292 in tests. A view takes it out of its
# base: `_base_.pop('vjepa')`.
_base_ = './steps.py'

steps = _base_.pop('steps')
small = [steps.decode, dict(type='Resize', scale=(-1, 292))]
vjepa = dict(
    init=steps.init,
    train=[
        steps.decode,
        dict(
            type='ClipRandAugment',
            num_ops=4,
            magnitude=7,
            magnitude_std=0.5,
        ),
        dict(type='RandomResizedCrop'),
        dict(type='Resize', scale=(256, 256), keep_ratio=False),
    ],
    flip=steps.flip,
    center=[*small, dict(type='CenterCrop', crop_size=256), *steps.finish],
    three=[
        *small,
        dict(type='CentredThreeCrop', crop_size=256),
        *steps.finish,
    ],
    finish=steps.finish,
)
del steps, small
