"""BEVT in miniature, stage 3: ten motions, from the joint stage.

    python tools/train.py quickstart/bevt_finetune \
        --work-dir quickstart/bevt_finetune
"""
_base_ = [
    '../_base_/datasets/quickstart_motion.py',
    '../_base_/default_runtime.py',
]

num_frames = 8
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='BEVTVideoSwin',
        arch=dict(embed_dims=48, depths=(2, 2, 2), num_heads=(2, 4, 8)),
        img_size=64,
        num_frames=num_frames,
        window_size=(4, 4, 4),
        pretrained='{{$QUICKSTART:quickstart}}/bevt_joint/epoch_50.pth',
        drop_path_rate=0.1,
    ),
    cls_head=dict(
        type='Float32I3DHead',
        num_classes=10,
        in_channels=192,
        dropout_ratio=0.0,
        average_clips='prob',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[60.0, 60.0, 60.0],
        std=[60.0, 60.0, 60.0],
        format_shape='NCTHW',
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[1].clip_len = num_frames
train_pipeline[3].scale = (-1, 72)
train_pipeline[4].size = 64
test_pipeline = _base_.test_pipeline
test_pipeline[1].clip_len = num_frames
test_pipeline[3].scale = (-1, 72)
test_pipeline[4].crop_size = 64
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

max_epochs = 40
train_cfg = dict(
    type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=10
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            relative_position_bias_table=dict(decay_mult=0.0),
            norm=dict(decay_mult=0.0),
        )
    ),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=4,
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
default_hooks = dict(
    logger=dict(interval=15),
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
