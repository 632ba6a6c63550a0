# V-JEPA 2's probes: 16 x 4 frames, no flip (there are classes of left and
# right); 2 x 3 test views.
_base_ = './vjepa.py'

vjepa = _base_.pop('vjepa')
sample = dict(type='SpreadSampleFrames', clip_len=16, frame_interval=4)
train_pipeline = [vjepa.init, sample, *vjepa.train, *vjepa.finish]
val_pipeline = [vjepa.init, dict(sample, test_mode=True), *vjepa.center]
sample_test = dict(sample, num_clips=2, test_mode=True)
test_pipeline = [vjepa.init, sample_test, *vjepa.three]
del vjepa, sample, sample_test
