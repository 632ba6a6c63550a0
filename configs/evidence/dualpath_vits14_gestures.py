"""DualPath on a real frozen ViT-S/14, 16 frames of 112 px: docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows DualPath
"""
_base_ = [
    '../_base_/data/gestures.py',
    '../_base_/views/gestures_16_112px.py',
    '../_base_/models/vits14.py',
    '../_base_/schedules/gestures_40e.py',
    '../_base_/runtime.py',
]

# Four framesets and four frames: eight images, as many as AIM's.
model = dict(
    backbone=dict(
        type='DualPath',
        img_size=112,
        grid=(2, 2),
        num_frames=16,
        num_spatial_frames=4,
        variant='paper-ssv2',
    ),
    cls_head=dict(
        type='DualPathHead',
        num_classes=_base_.num_classes,
        average_clips='score',
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
default_hooks = dict(checkpoint=dict(save_best=None, max_keep_ckpts=1))
randomness = dict(seed=0)
