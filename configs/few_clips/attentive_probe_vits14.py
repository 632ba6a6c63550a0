"""AttentiveProbe on a frozen DINOv2 ViT-S/14, 8 frames of 112 px, few clips.

Published: none; what `tools/fit.py` starts from. Ours: docs/own_videos.md.
    python tools/fit.py VIDEOS OUT
"""
_base_ = [
    '../_base_/data/few_clips.py',
    '../_base_/views/few_clips_8_112px.py',
    '../_base_/schedules/few_clips.py',
    '../_base_/runtime.py',
]

model = dict(
    type='AdaptedRecognizer',
    backbone=dict(
        type='AttentiveProbe',
        trunk='facebook/dinov2-small',
        img_size=112,
        num_frames=8,
        pooler=dict(num_layers=0, num_heads=24),
        center=True,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=_base_.num_classes,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
