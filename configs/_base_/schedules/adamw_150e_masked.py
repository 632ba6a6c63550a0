# AdamW at 5e-4 for 256 clips and 2,048 images, 150 epochs of the clips: cosine
# to zero, times a warm-up from a tenth over 10 epochs, both in every forward
# pass. Not decayed: tables of relative positions and norms. Two forward
# passes make an update.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=150)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    accumulative_counts=2,
    clip_grad=dict(max_norm=3.0),
    optimizer=dict(
        type='AdamW', lr=5e-4, betas=(0.9, 0.999), weight_decay=0.05
    ),
    paramwise_cfg=dict(
        custom_keys=dict(
            relative_position_bias_table=dict(decay_mult=0.0),
            norm=dict(decay_mult=0.0),
        )
    ),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=150,
        eta_min=0,
        by_epoch=True,
        begin=0,
        end=150,
        convert_to_iter_based=True,
    ),
]
# 32 GPUs x 4 clips x 2 forward passes; `--auto-scale-lr` adapts the rate.
auto_scale_lr = dict(enable=False, base_batch_size=256)
