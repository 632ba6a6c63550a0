"""V-JEPA 2 ViT-L/16, 16 frames, EPIC-KITCHENS-100 (verb, noun, action).

https://arxiv.org/abs/2506.09985, section 6, anticipates actions with such a
probe; this one recognises them.
Published: none.
    tools/dist_train.sh configs/vjepa2/vitl16_16f_epic100.py 8
"""
_base_ = [
    '../_base_/data/epic100.py',
    '../_base_/views/vjepa_16x4_flip.py',
    '../_base_/models/vjepa2.py',
    '../_base_/schedules/adamw_20e_probe.py',
    '../_base_/runtime.py',
]

# A query and a linear layer for each task, focal losses, added up.
model = dict(
    backbone=dict(pooler=dict(num_queries=3)),
    cls_head=dict(
        _delete_=True,
        type='MultiTaskVideoHead',
        num_classes=_base_.num_classes,
        num_queries=3,
        dropout_ratio=0.0,
        loss_cls=dict(type='mmpretrain.FocalLoss'),
    ),
)
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
default_hooks = dict(checkpoint=dict(save_best='acc/action_top1'))
