"""A tiny image ViT on single frames: which quarters of the token are warm.

The trunk of the quick start: 0.5 M parameters, six appearances, trained from
scratch. Chance 17 %. Ours: 97.5 %.
    bash tools/quickstart.sh
"""
_base_ = [
    '../_base_/data/quickstart_appearance.py',
    '../_base_/views/quickstart_frame.py',
    '../_base_/models/quickstart.py',
    '../_base_/schedules/adamw_warm4_100e.py',
    '../_base_/runtime_quickstart.py',
]

model = dict(
    backbone=dict(
        type='ImageViT',
        arch=dict(embed_dims=96, num_layers=4, num_heads=3, patch_size=8),
        dialect='imagenet',
        img_size=32,
        full_finetune=True,
    ),
    cls_head=dict(num_classes=_base_.num_classes, in_channels=96),
)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
default_hooks = dict(logger=dict(interval=15))
