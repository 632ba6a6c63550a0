# 32 frames spread over the video, resized crop, flip; 1 x 1 test view.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=32)
train_pipeline = [steps.init, sample, *steps.crop, steps.flip, *steps.finish]
sample_test = dict(sample, test_mode=True)
val_pipeline = [steps.init, sample_test, *steps.center_256]
test_pipeline = [steps.init, sample_test, *steps.center_224]
del steps, sample, sample_test
