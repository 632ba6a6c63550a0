"""VPT on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows VPT
"""
_base_ = './vits14_gestures.py'

trunk = _base_.model.backbone
for aim in ('num_frames', 'adapter_scale', 'drop_path_rate'):
    trunk.pop(aim)
trunk.update(type='VPT', num_prompts=20)
model = dict(backbone=dict(_delete_=True, **trunk))
del trunk, aim
