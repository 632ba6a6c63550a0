# Side4Video on Something-Something: spread_8.py with 2 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=8)
augment = [*steps.crop, steps.rand_augment]
train_pipeline = [steps.init, sample, *augment, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_256]
sample_test = dict(sample, num_clips=2, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test, augment
