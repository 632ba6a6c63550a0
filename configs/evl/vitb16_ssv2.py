"""EVL ViT-B/16, 8 frames, SSv2 (https://arxiv.org/abs/2208.03550).

Published: 61.0 % top-1 (paper, unverified; author: about 61), 8x1x3 views.
    tools/dist_train.sh configs/evl/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/evl_spread_8.py',
    '../_base_/models/evl.py',
    '../_base_/schedules/adamw_45e.py',
    '../_base_/runtime.py',
]

# Decoder layers, steps and sampling are the author's words, not code: the
# official repository has no script for this data set.
model = dict(
    backbone=dict(num_frames=8, decoder_num_layers=12),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=3),
)
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
