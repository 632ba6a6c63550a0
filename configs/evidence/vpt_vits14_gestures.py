"""VPT on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows VPT
"""
_base_ = './vits14_gestures.py'

backbone = dict(type='VPT', img_size=98, num_prompts=20)
model = dict(backbone=dict(_delete_=True, **backbone, **_base_.trunk))
del backbone
