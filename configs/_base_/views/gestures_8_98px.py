# Gestures: 8 frames of 98 px. No flip: it would turn a stroke to the left
# into one to the right.
_base_ = './gestures.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=8)
resize = dict(type='Resize', scale=(98, 98), keep_ratio=False)
train_pipeline = [
    steps.init,
    sample,
    steps.decode,
    steps.crop,
    resize,
    *steps.finish,
]
sample_test = dict(sample, test_mode=True)
test_pipeline = [
    steps.init, sample_test, steps.decode, resize, *steps.finish
]
del steps, sample, sample_test, resize
