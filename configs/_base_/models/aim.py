# AIM on CLIP's ViT-B/16.
_base_ = './image_vit.py'

model = dict(backbone=dict(type='AIM', drop_path_rate=0.2))
