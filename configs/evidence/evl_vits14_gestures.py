"""EVL on a real frozen ViT-S/14, 8 frames of 112 px, ten drawn gestures.

Published: none; a small real data set. Ours: see docs/evidence.md.
    python tools/evidence/evl_gestures.py DATA OUT
"""
_base_ = ['../_base_/runtime.py']

model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        trunk='facebook/dinov2-small',
        img_size=112,
        pretrained='data/weights/dinov2_vits14_as_clip_visual_fp16.pt',
        num_frames=8,
        decoder_num_layers=4,
    ),
    cls_head=dict(
        type='EVLHead',
        num_classes=10,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        format_shape='NCTHW',
    ),
)

# Every clip passes the trunk once: no augmentation.
test_pipeline = [
    dict(type='VideoInit', backend='auto'),
    dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
    dict(type='VideoDecode'),
    dict(type='Resize', scale=(112, 112), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset',
        ann_file='data/gestures/all.txt',
        data_prefix=dict(video='data/gestures'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=test_dataloader['dataset'],
)
train_pipeline = test_pipeline
test_evaluator = dict(type='AccMetric')
test_cfg = dict(type='TestLoop')

max_epochs = 30
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
# Position and motion start at zero and must become as large as the features
# within 200 steps; without that the decoder learns the rooms by heart.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            temporal_pos_embed=dict(lr_mult=30, decay_mult=0),
            motion=dict(lr_mult=30, decay_mult=0),
        )
    ),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.04,
        by_epoch=True,
        begin=0,
        end=3,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - 3,
        by_epoch=True,
        begin=3,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(
    logger=dict(interval=100),
    checkpoint=dict(interval=max_epochs, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
