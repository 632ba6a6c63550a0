"""Side4Video ViT-B/16, 8 frames, SSv2 (https://arxiv.org/abs/2311.15769).

Published: no figure at hand.
    tools/dist_train.sh configs/side4video/vitb16_ssv2.py 8
"""
_base_ = [
    '../_base_/data/sthv2.py',
    '../_base_/views/side4video_ssv2.py',
    '../_base_/models/side4video.py',
    '../_base_/schedules/adamw_warm4_30e.py',
    '../_base_/runtime.py',
]

# The recipe takes 16 clips twice, augmented anew; here they are 32 clips.
model = dict(cls_head=dict(num_classes=_base_.num_classes))
train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
