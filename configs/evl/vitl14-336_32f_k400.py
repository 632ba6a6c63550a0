"""EVL ViT-L/14 at 336 px, 32 frames, K400 (https://arxiv.org/abs/2208.03550).

Published: 87.7 / 97.8 % top-1 / top-5 (official README); 87.7 / 97.8 % top-1 /
top-5 (paper), 32x1x3 views.
    tools/dist_train.sh configs/evl/vitl14-336_32f_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/evl_32x8_336px.py',
    '../_base_/models/evl.py',
    '../_base_/schedules/adamw_53e_8_clips.py',
    '../_base_/runtime.py',
]

# The official code has no preset of 336 px; the size of the row is made here.
model = dict(
    backbone=dict(trunk='openai/ViT-L-14-336px', num_frames=32),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=1),
)
train_dataloader = dict(
    batch_size=8, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
