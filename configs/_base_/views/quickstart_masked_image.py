# The quick start's masked prediction on images.
_base_ = './quickstart_masked.py'

image_pipeline = _base_.pop('masked').image
