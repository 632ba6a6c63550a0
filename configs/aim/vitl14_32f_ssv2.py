"""AIM ViT-L/14, 32 frames, SSv2 (https://arxiv.org/abs/2302.03024).

Published: 70.6 / 92.7 % top-1 / top-5, 32x1x3 views (paper, unverified).
Ours: not run yet.
    tools/dist_train.sh configs/aim/vitl14_32f_ssv2.py 8
"""
_base_ = './vitl14_ssv2.py'

model = dict(backbone=dict(num_frames=32))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32)
del p
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
