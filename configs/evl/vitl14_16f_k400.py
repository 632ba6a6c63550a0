"""EVL ViT-L/14, 16 frames, Kinetics-400 (https://arxiv.org/abs/2208.03550).

Published: 86.9 / 97.4 %, 16x1x3 views (official README); ours: not run yet.
    tools/dist_train.sh configs/evl/vitl14_16f_k400.py 8
"""
_base_ = './vitl14_k400.py'
model = dict(backbone=dict(num_frames=16))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=16, frame_interval=16, num_clips=1)
del p
_base_.test_pipeline[4].type = 'ThreeCrop'  # 1 x 3 views, not 3 x 1
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
