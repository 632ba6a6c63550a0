"""DualPath ViT-B/16, 16 frames, Diving-48 (https://arxiv.org/abs/2303.09857).

Published: 88.7 % top-1 (Papers with Code); its views are not verified, 16x3x1
here.
    tools/dist_train.sh configs/dualpath/vitb16_diving48.py 8
"""
_base_ = [
    '../_base_/data/diving48.py',
    '../_base_/views/dualpath_16.py',
    '../_base_/models/dualpath.py',
    '../_base_/schedules/adamw_warm3_50e.py',
    '../_base_/runtime.py',
]

# 0.0007 for 256 clips, as in the released command line.
model = dict(
    cls_head=dict(num_classes=_base_.num_classes),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.1)
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
optim_wrapper = dict(optimizer=dict(lr=1.75e-4))
