"""DualPath on a real frozen ViT-S/14, 16 frames of 112 px: docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT --rows DualPath
"""
_base_ = './vits14_gestures.py'
_base_.train_pipeline[1].clip_len = _base_.test_pipeline[1].clip_len = 16
_base_.train_pipeline[4].scale = _base_.test_pipeline[3].scale = (112, 112)
trunk = {k: _base_.model.backbone[k] for k in ('dialect', 'pretrained')}
model = dict(  # four framesets and four frames: eight images, as many as AIM's
    backbone=dict(_delete_=True, type='DualPath', arch='small-p14', grid=(2, 2),
                  img_size=112, num_frames=16, num_spatial_frames=4,
                  variant='paper-ssv2', **trunk),
    cls_head=dict(_delete_=True, type='DualPathHead', num_classes=10,
                  in_channels=768, average_clips='score'))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
