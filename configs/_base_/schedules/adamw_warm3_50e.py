# DualPath's schedule: AdamW, linear warm-up from zero over 3 of 50 epochs,
# half a cosine to zero, in every iteration. Everything that is trained is
# decayed, biases and tokens included. A config sets its own rate.
_base_ = './epochs.py'

train_cfg = dict(max_epochs=50)
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05
    ),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,
        by_epoch=True,
        begin=0,
        end=3,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=47,
        eta_min=0,
        by_epoch=True,
        begin=3,
        end=50,
        convert_to_iter_based=True,
    ),
]
# 8 GPUs x 8 clips; `--auto-scale-lr` adapts the rate to other batch sizes.
auto_scale_lr = dict(enable=False, base_batch_size=64)
