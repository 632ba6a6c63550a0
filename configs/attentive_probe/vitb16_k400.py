"""Probe on ViT-B/16, 8 frames, K400 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/attentive_probe/vitb16_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/probe_8x8_flip.py',
    '../_base_/models/attentive_probe.py',
    '../_base_/schedules/adamw_20e_probe.py',
    '../_base_/runtime.py',
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
