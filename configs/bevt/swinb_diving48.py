"""BEVT Swin-B, 32 frames, Diving-48 (https://arxiv.org/abs/2112.01529).

Published: 86.7 % top-1 (abstract of the first version, DALL-E tokens); 87.2 %
top-1 (abstract of the second version, PeCo tokens); its views are not
verified, 32x1x3 here.
    tools/dist_train.sh configs/bevt/swinb_diving48.py 8 --amp
"""
_base_ = [
    '../_base_/data/diving48.py',
    '../_base_/views/spread_32.py',
    '../_base_/models/video_swin_ssv2.py',
    '../_base_/schedules/adamw_60e_bevt.py',
    '../_base_/runtime.py',
]

# No recipe of this row is published: this one is ours, that of SSv2.
model = dict(
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(
    batch_size=1, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.0002)]
