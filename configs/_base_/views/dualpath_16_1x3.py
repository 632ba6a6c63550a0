# DualPath on Something-Something: as dualpath_16.py without a flip (there are
# classes of left and right); 1 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='RandomStrideSampleFrames', clip_len=16)
train_pipeline = [steps.init, sample, *steps.dualpath_crop, *steps.finish]
sample_test = dict(sample, test_mode=True)
val_pipeline = [steps.init, sample_test, *steps.center_224]
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test
