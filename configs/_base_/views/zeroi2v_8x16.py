# ZeroI2V on Kinetics: dense clips of 8 x 16 frames, RandAugment before the
# crop, flip; 3 x 1 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointSampleFrames', clip_len=8, frame_interval=16)
augment = [*steps.zeroi2v_crop, steps.flip]
train_pipeline = [steps.init, sample, *augment, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_256]
sample_test = dict(sample, num_clips=3, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.center_224]
del steps, sample, sample_test, augment
