# Gestures: 16 frames of 112 px. No flip: it would turn a stroke to the left
# into one to the right.
_base_ = './gestures.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=16)
resize = dict(type='Resize', scale=(112, 112), keep_ratio=False)
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
