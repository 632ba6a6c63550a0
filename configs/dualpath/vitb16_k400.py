"""DualPath ViT-B/16, 16 frames, K400 (https://arxiv.org/abs/2303.09857).

Published: 85.4 / 97.1 % top-1 / top-5 (Papers with Code); its views are not
verified, 16x3x1 here.
    tools/dist_train.sh configs/dualpath/vitb16_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dualpath_16.py',
    '../_base_/models/dualpath.py',
    '../_base_/schedules/adamw_warm3_50e.py',
    '../_base_/runtime.py',
]

# No recipe of this row is published: rate, epochs and erasing (none) are those
# of the released command lines nearest to it, and not verified.
model = dict(
    cls_head=dict(num_classes=_base_.num_classes),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=8.75e-5))
