# EVL on Kinetics at 336 px: 32 x 8 frames, otherwise as evl_32x8.py.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='ExactSpanSampleFrames', clip_len=32, frame_interval=8)
train_pipeline = [
    steps.init,
    sample,
    steps.decode,
    dict(
        type='ClipRandAugment', num_ops=4, magnitude=7, magnitude_std=0.5
    ),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(336, 336), keep_ratio=False),
    *steps.finish,
]
whole = [
    steps.init,
    dict(sample, num_clips=1, test_mode=True),
    steps.decode,
    dict(type='Resize', scale=(-1, 336)),
]
center = dict(type='CenterCrop', crop_size=336)
val_pipeline = [*whole, center, *steps.finish]
three = dict(type='ThreeCrop', crop_size=336)
test_pipeline = [*whole, three, *steps.finish]
del steps, sample, whole, center, three
