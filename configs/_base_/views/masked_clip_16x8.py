# Masked prediction on clips of 16 x 8 frames.
_base_ = './masked.py'

masked = _base_.pop('masked')
sample = dict(
    type='SampleFrames', clip_len=16, frame_interval=8, num_clips=1
)
video_pipeline = [masked.init, sample, *masked.clip]
del masked, sample
