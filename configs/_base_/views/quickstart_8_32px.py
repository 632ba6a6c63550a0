# The quick start: 8 frames of 32 px.
_base_ = './quickstart.py'

num_frames = 8
steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=num_frames)
train_pipeline = [
    steps.init, sample, *steps.train_32px, steps.flip_motions, *steps.finish
]
sample_test = dict(sample, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.test_32px, *steps.finish]
del steps, sample, sample_test
