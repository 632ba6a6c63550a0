"""V-JEPA 2 ViT-L/16, 16 frames, SSv2 (https://arxiv.org/abs/2506.09985).

Published: 73.6 % top-1 (paper, unverified), 16x2x3 views.
    tools/dist_train.sh configs/vjepa2/vitl16_16f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/vjepa_16x4.py',
    '../_base_/models/vjepa2.py',
    '../_base_/schedules/adamw_20e_probe.py',
    '../_base_/runtime.py',
]

model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
