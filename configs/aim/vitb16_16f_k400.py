"""AIM ViT-B/16, 16 frames, Kinetics-400 (https://arxiv.org/abs/2302.03024).

Published: 84.5 / 96.6 % top-1 / top-5, 16x3x1 views (official README).
Ours: not run yet.
    tools/dist_train.sh configs/aim/vitb16_16f_k400.py 8
"""
_base_ = './vitb16_k400.py'

model = dict(backbone=dict(num_frames=16))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=16, frame_interval=8)
del p
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
