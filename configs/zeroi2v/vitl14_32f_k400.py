"""ZeroI2V ViT-L/14, 32 frames, K400 (https://arxiv.org/abs/2310.01324).

Published: 87.2 % top-1 (official README), 32x3x1 views.
    tools/dist_train.sh configs/zeroi2v/vitl14_32f_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/zeroi2v_32x4.py',
    '../_base_/models/zeroi2v.py',
    '../_base_/schedules/adamw_40e.py',
    '../_base_/runtime.py',
]

# Stride 4 is a guess: no source at hand says it.
model = dict(
    backbone=dict(
            trunk='openai/ViT-L-14',
            num_frames=32,
            shifts=(-1, 1, -2, 2, -3, 3, -4, 4),
        ),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
