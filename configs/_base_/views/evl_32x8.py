# EVL on Kinetics: 32 x 8 frames, RandAugment before the crop, no flip (the
# official code keeps a `mirror` and never reads it); 1 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='ExactSpanSampleFrames', clip_len=32, frame_interval=8)
train_pipeline = [steps.init, sample, *steps.evl_crop, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_224]
sample_test = dict(sample, num_clips=1, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test
