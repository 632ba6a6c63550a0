"""AdaptFormer on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows AdaptFormer
"""
_base_ = './vits14_gestures.py'

backbone = dict(
    type='AdaptFormer', img_size=98, adapter_dims=64, adapter_scale=0.1
)
model = dict(backbone=dict(_delete_=True, **backbone, **_base_.trunk))
del backbone
