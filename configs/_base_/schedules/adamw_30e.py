# AdamW at 3e-4 for a batch of 64, 30 epochs: warm-up from a tenth over 2.5
# epochs (every iteration), cosine to zero (every epoch). Not decayed: the
# norms and two embeddings; adapters and temporal embedding are, as published.
_base_ = './epochs.py'

train_cfg = dict(max_epochs=30)
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=3e-4, betas=(0.9, 0.999), weight_decay=0.05
    ),
    paramwise_cfg=dict(
        custom_keys=dict(
            class_embedding=dict(decay_mult=0.0),
            positional_embedding=dict(decay_mult=0.0),
            ln_=dict(decay_mult=0.0),
        )
    ),
)
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
        T_max=30,
        eta_min=0,
        by_epoch=True,
        begin=0,
        end=30,
    ),
]
# 8 GPUs x 8 clips; `--auto-scale-lr` adapts the rate to other batch sizes.
auto_scale_lr = dict(enable=False, base_batch_size=64)
