"""EVL ViT-B/16, 32 frames, Kinetics-400 (https://arxiv.org/abs/2208.03550).

Published: 84.3 / 96.6 %, 32x1x3 views (official README); ours: not run yet.
    tools/dist_train.sh configs/evl/vitb16_32f_k400.py 8
"""
_base_ = './vitb16_k400.py'
model = dict(backbone=dict(num_frames=32))
for p in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    p[1].update(clip_len=32, frame_interval=8, num_clips=1)
del p
_base_.test_pipeline[4].type = 'ThreeCrop'  # 1 x 3 views, not 3 x 1
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
