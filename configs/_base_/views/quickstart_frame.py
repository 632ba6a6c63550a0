# The quick start: single frames of 32 px.
_base_ = './quickstart.py'

steps = _base_.pop('steps')
sample = dict(type='SampleFrames', clip_len=1)
train_pipeline = [
    steps.init,
    sample,
    *steps.train_32px,
    *steps.flip_appearances,
    *steps.finish,
]
sample_test = dict(sample, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.test_32px, *steps.finish]
del steps, sample, sample_test
