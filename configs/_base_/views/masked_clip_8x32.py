# Masked prediction on clips of 8 x 32 frames.
_base_ = './masked.py'

masked = _base_.pop('masked')
sample = dict(
    type='SampleFrames', clip_len=8, frame_interval=32, num_clips=1
)
video_pipeline = [masked.init, sample, *masked.clip]
del masked, sample
