"""TimeSformer-B, 8 frames, K400, from BEVT's pretraining.

Published: nothing (https://arxiv.org/abs/2112.01529 says that it helps). The
recipe is mmaction2's for this model.
    tools/dist_train.sh configs/bevt/timesformer_k400.py 8
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_8x32_1x3.py',
    '../_base_/runtime.py',
]

# mmaction2's model as it is; the pretrained one has its names.
load_from = 'work_dirs/pretrain_timesformer_in1k_k400/epoch_150.pth'
custom_hooks = [
    *(h for h in _base_.custom_hooks if h['type'] != 'StrictLoadHook'),
    dict(
        type='StrictLoadHook',
        allow_missing=[r'cls_head\.fc_cls\..*'],
        allow_unknown=[r'backbone\.mask_token', r'cls_head\.lm_head\..*'],
    ),
]
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='TimeSformer',
        num_frames=8,
        img_size=224,
        patch_size=16,
        embed_dims=768,
        attention_type='divided_space_time',
        norm_cfg=dict(type='LN', eps=1e-6),
    ),
    cls_head=dict(
        type='TimeSformerHead',
        num_classes=_base_.num_classes,
        in_channels=768,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=15)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(
        type='SGD', lr=0.005, momentum=0.9, weight_decay=1e-4, nesterov=True
    ),
    paramwise_cfg=dict(
        custom_keys={
            'backbone.cls_token': dict(decay_mult=0.0),
            'backbone.pos_embed': dict(decay_mult=0.0),
            'backbone.time_embed': dict(decay_mult=0.0),
        }
    ),
    clip_grad=dict(max_norm=40),
)
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=True, milestones=[5, 10], gamma=0.1)
]
auto_scale_lr = dict(enable=False, base_batch_size=64)
