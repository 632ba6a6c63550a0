"""ST-Adapter on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows ST-Adapter
"""
_base_ = './vits14_gestures.py'

backbone = dict(
    type='STAdapter', img_size=98, num_frames=8, adapter_dims=192,
    places=('attn', 'mlp')
)
model = dict(backbone=dict(_delete_=True, **backbone, **_base_.trunk))
del backbone
