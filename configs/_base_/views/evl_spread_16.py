# EVL on Something-Something: 16 frames spread over the video, as evl_8x16.py
# otherwise; 1 x 3 test views. The official code cannot test this set: the test
# frames here are the middles of the stretches that training draws from.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=16)
train_pipeline = [steps.init, sample, *steps.evl_crop, *steps.finish]
sample_test = dict(sample, test_mode=True)
val_pipeline = [steps.init, sample_test, *steps.center_224]
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test
