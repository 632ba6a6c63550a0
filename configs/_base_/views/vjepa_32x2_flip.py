# V-JEPA 2's probe on Diving-48: 4 segments of 32 x 2 frames, read together;
# flip; 3 test crops.
_base_ = './vjepa.py'

vjepa = _base_.pop('vjepa')
sample = dict(
    type='SpreadSampleFrames',
    clip_len=32,
    frame_interval=2,
    num_clips=4,
    num_segments=4,
)
train_pipeline = [
    vjepa.init, sample, *vjepa.train, vjepa.flip, *vjepa.finish
]
sample_test = dict(sample, test_mode=True)
val_pipeline = [vjepa.init, sample_test, *vjepa.center]
test_pipeline = [vjepa.init, sample_test, *vjepa.three]
del vjepa, sample, sample_test
