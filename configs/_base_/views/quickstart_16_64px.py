# The quick start: 16 frames of 64 px.
_base_ = './quickstart.py'

num_frames = 16
steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=num_frames)
train_pipeline = [
    steps.init, sample, *steps.train_64px, steps.flip_motions, *steps.finish
]
sample_test = dict(sample, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.test_64px, *steps.finish]
del steps, sample, sample_test
