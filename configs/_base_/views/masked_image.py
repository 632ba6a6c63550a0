# Masked prediction on images. No random resizing of the crop, unlike BEiT.
_base_ = './masked.py'

image_pipeline = [dict(type='ImageDecode'), *_base_.pop('masked').image]
