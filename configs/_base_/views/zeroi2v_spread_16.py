# ZeroI2V on Something-Something: 16 frames spread over the video, RandAugment
# before the crop, a flip that turns left into right in the labels, too; 1 x 3
# test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
sample = dict(type='MidpointUniformSample', clip_len=16)
sides = {86: 87, 87: 86, 93: 94, 94: 93, 166: 167, 167: 166}
augment = [*steps.zeroi2v_crop, dict(steps.flip, flip_label_map=sides)]
train_pipeline = [steps.init, sample, *augment, *steps.finish]
sample_test = dict(sample, test_mode=True)
val_pipeline = [steps.init, sample_test, *steps.center_256]
test_pipeline = [steps.init, sample_test, *steps.three_crops]
del steps, sample, sample_test, augment, sides
