"""AIM on a real frozen ViT-S/14, 8 frames of 98 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/gestures.py DATA OUT
"""
_base_ = ['../_base_/default_runtime.py']

num_classes = 10
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIM',
        arch='small-p14',
        # DINOv2 in CLIP's names: its patch bias is part of the positions.
        dialect=dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=False),
        img_size=98,
        pretrained='data/weights/dinov2_vits14_as_clip_visual_fp16.pt',
        num_frames=8,
        adapter_scale=1.0,
        drop_path_rate=0.1,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=num_classes,
        in_channels=384,
        dropout_ratio=0.2,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
)

# No flip: it would turn a stroke to the left into one to the right.
train_pipeline = [
    dict(type='VideoInit'),
    dict(type='MidpointUniformSample', clip_len=8),
    dict(type='VideoDecode'),
    dict(type='RandomResizedCrop', area_range=(0.6, 1.0)),
    dict(type='Resize', scale=(98, 98), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='VideoInit'),
    dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(98, 98), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file='data/gestures/train.txt',
        data_prefix=dict(video='data/gestures'),
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        ann_file='data/gestures/val.txt',
        data_prefix=dict(video='data/gestures'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(type='AccMetric')
test_cfg = dict(type='TestLoop')

max_epochs = 40
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            # It starts at zero and is all that the model knows about order.
            temporal_embedding=dict(lr_mult=10.0, decay_mult=0.0),
            # DualPath's head, on features of norm 65, would only swing.
            linear1=dict(lr_mult=0.3),
            linear2=dict(lr_mult=0.3))),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=2.5,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(save_best=None, max_keep_ckpts=1))
randomness = dict(seed=0)
