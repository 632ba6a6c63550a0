# Attentive probes on Diving-48: 4 segments of 16 x 4 frames, read together;
# flip; 3 test crops.
_base_ = './probe.py'

probe = _base_.pop('probe')
sample = dict(
    type='SpreadSampleFrames',
    clip_len=16,
    frame_interval=4,
    num_clips=4,
    num_segments=4,
)
train_pipeline = [probe.init, sample, *probe.flip]
sample_test = dict(sample, test_mode=True)
val_pipeline = [probe.init, sample_test, *probe.center]
test_pipeline = [probe.init, sample_test, *probe.three]
del probe, sample, sample_test
