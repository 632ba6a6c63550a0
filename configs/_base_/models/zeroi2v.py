# ZeroI2V on CLIP's ViT-B/16.
_base_ = './image_vit.py'

model = dict(backbone=dict(type='ZeroI2V'))
