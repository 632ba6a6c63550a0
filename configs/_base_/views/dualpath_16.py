# DualPath: 16 frames, RandAugment before the crop, flip; 3 x 1 test views.
# Training strides are drawn from 1, 2, 4 and 8, testing has 4.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='RandomStrideSampleFrames', clip_len=16)
train_pipeline = [steps.init, sample, *steps.dualpath_crop, steps.flip, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_224]
sample_test = dict(sample, num_clips=3, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.center_224]
del steps, sample, sample_test
