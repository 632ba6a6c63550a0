"""EVL ViT-L/14, 16 frames, Kinetics-400 (https://arxiv.org/abs/2208.03550).

Published: 86.9 / 97.4 % top-1 / top-5 (official README); 87.0 / 97.6 % top-1 /
top-5 (paper), 16x1x3 views.
    tools/dist_train.sh configs/evl/vitl14_16f_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/evl_16x16.py',
    '../_base_/models/evl.py',
    '../_base_/schedules/adamw_53e_8_clips.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(trunk='openai/ViT-L-14', num_frames=16),
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
