"""EVL ViT-B/16, 16 frames, SSv2 (https://arxiv.org/abs/2208.03550).

Published: 61.7 %, 16x1x3 views (paper, unverified); ours: not run yet.
    tools/dist_train.sh configs/evl/vitb16_16f_ssv2.py 8
"""
_base_ = './vitb16_ssv2.py'

model = dict(backbone=dict(num_frames=16))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=16)
del p
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
