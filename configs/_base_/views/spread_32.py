# 32 frames spread over the video, resized crop, RandAugment and no flip (there
# are classes of left and right); 1 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=32)
train_pipeline = [steps.init, sample, *steps.crop, steps.rand_augment, *steps.finish]
sample_test = dict(sample, test_mode=True)
val_pipeline = [steps.init, sample_test, *steps.center_256]
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test
