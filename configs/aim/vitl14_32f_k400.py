"""AIM ViT-L/14, 32 frames, Kinetics-400 (https://arxiv.org/abs/2302.03024).

Published: 87.5 / 97.7 % top-1 / top-5, 32x3x1 views (official README).
Ours: not run yet.
    tools/dist_train.sh configs/aim/vitl14_32f_k400.py 8
"""
_base_ = './vitl14_k400.py'

model = dict(backbone=dict(num_frames=32))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32, frame_interval=4)
del p
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
