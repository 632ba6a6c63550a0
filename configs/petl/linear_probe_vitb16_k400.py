"""Linear probe of CLIP ViT-B/16, 8 frames, K400 (https://arxiv.org/abs/2103.00020).

Published: no figure in the sources at hand.
    tools/dist_train.sh configs/petl/linear_probe_vitb16_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_8x16.py',
    '../_base_/models/image_vit.py',
    '../_base_/schedules/adamw_30e.py',
    '../_base_/runtime.py',
]

# Data, views and schedule are AIM's, in this row and in all that inherit it,
# so that rows differ by the method alone. None was tuned for one of them.
model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
