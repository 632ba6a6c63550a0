# Side4Video on Kinetics: 8 frames spread over the video, resized crop, flip;
# 4 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=8)
train_pipeline = [steps.init, sample, *steps.crop, steps.flip, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_256]
sample_test = dict(sample, num_clips=4, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test
