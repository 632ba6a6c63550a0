"""LoRA on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows LoRA
"""
_base_ = './vits14_gestures.py'

backbone = dict(type='LoRA', img_size=98, rank=8, alpha=8.0)
model = dict(backbone=dict(_delete_=True, **backbone, **_base_.trunk))
del backbone
