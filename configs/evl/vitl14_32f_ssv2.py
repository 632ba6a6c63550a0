"""EVL ViT-L/14, 32 frames, SSv2 (https://arxiv.org/abs/2208.03550).

Published: 66.7 % top-1 (paper, unverified), 32x1x3 views.
    tools/dist_train.sh configs/evl/vitl14_32f_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/evl_spread_32.py',
    '../_base_/models/evl.py',
    '../_base_/schedules/adamw_45e_8_clips.py',
    '../_base_/runtime.py',
]

# Decoder layers, steps and sampling are the author's words, not code: the
# official repository has no script for this data set.
model = dict(
    backbone=dict(
        trunk='openai/ViT-L-14',
        num_frames=32,
        decoder_num_layers=12,
    ),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=1),
)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
