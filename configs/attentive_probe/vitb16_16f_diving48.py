"""Probe on ViT-B/16, 16 frames, Diving-48 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/attentive_probe/vitb16_16f_diving48.py 8
"""
_base_ = [
    '../_base_/data/diving48.py',
    '../_base_/views/probe_16x4_flip.py',
    '../_base_/models/attentive_probe.py',
    '../_base_/schedules/adamw_100e_probe.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(num_frames=16, num_segments=4),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(accumulative_counts=4)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
