# The quick start's masked prediction on clips.
_base_ = './quickstart_masked.py'

video_pipeline = _base_.pop('masked').clip
