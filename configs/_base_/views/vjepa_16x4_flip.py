# V-JEPA 2's probes: 2 segments of 16 x 4 frames, read together, in training,
# too; flip; 3 test crops.
_base_ = './vjepa.py'

vjepa = _base_.pop('vjepa')
sample = dict(
    type='SpreadSampleFrames',
    clip_len=16,
    frame_interval=4,
    num_clips=2,
    num_segments=2,
)
train_pipeline = [
    vjepa.init, sample, *vjepa.train, vjepa.flip, *vjepa.finish
]
sample_test = dict(sample, test_mode=True)
val_pipeline = [vjepa.init, sample_test, *vjepa.center]
test_pipeline = [vjepa.init, sample_test, *vjepa.three]
del vjepa, sample, sample_test
