"""AIM on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT
"""
_base_ = [
    '../_base_/data/gestures.py',
    '../_base_/views/gestures_8_98px.py',
    '../_base_/models/vits14.py',
    '../_base_/schedules/gestures_40e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(
        type='AIM',
        img_size=98,
        num_frames=8,
        adapter_scale=1.0,
        drop_path_rate=0.1,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=_base_.num_classes,
        dropout_ratio=0.2,
        average_clips='prob',
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
default_hooks = dict(checkpoint=dict(save_best=None, max_keep_ckpts=1))
randomness = dict(seed=0)
