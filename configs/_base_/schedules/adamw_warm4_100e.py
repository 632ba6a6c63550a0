# The quick start's schedule: AdamW, linear warm-up over 4 of 100 epochs, half
# a cosine to zero, in every iteration. A config sets its own rate.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=25)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        by_epoch=True,
        begin=0,
        end=4,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=96,
        by_epoch=True,
        begin=4,
        end=100,
        convert_to_iter_based=True,
    ),
]
