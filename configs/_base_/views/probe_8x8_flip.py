# Attentive probes: 2 segments of 8 x 8 frames, read together; flip; 3 test
# crops.
_base_ = './probe.py'

probe = _base_.pop('probe')
sample = dict(
    type='SpreadSampleFrames',
    clip_len=8,
    frame_interval=8,
    num_clips=2,
    num_segments=2,
)
train_pipeline = [probe.init, sample, *probe.flip]
sample_test = dict(sample, test_mode=True)
val_pipeline = [probe.init, sample_test, *probe.center]
test_pipeline = [probe.init, sample_test, *probe.three]
del probe, sample, sample_test
