# Dense clips of 16 x 8 frames, resized crop, flip, PCA lighting; 3 x 1 test
# views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointSampleFrames', clip_len=16, frame_interval=8)
train_pipeline = [steps.init, sample, *steps.crop, steps.flip, steps.pca_lighting, *steps.finish]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_256]
sample_test = dict(sample, num_clips=3, test_mode=True)
test_pipeline = [steps.init, sample_test, *steps.center_224]
del steps, sample, sample_test
