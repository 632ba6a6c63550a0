"""BEVT Swin-B, 32 frames, SSv2 (https://arxiv.org/abs/2112.01529).

Published: 70.6 % top-1 (official README, DALL-E tokens); 71.4 % top-1
(official README, PeCo tokens), 32x1x3 views.
    tools/dist_train.sh configs/bevt/swinb_ssv2.py 8 --amp
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/spread_32.py',
    '../_base_/models/video_swin_ssv2.py',
    '../_base_/schedules/adamw_60e_bevt.py',
    '../_base_/runtime.py',
]

model = dict(
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    batch_size=1, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
# Averaged in every forward pass; the average is what is tested.
custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.0002)]
