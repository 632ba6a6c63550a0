# AdamW at 4e-4 for a batch of 256, cosine to zero in every iteration. 53
# epochs of 240,000 clips are the 50,000 steps of the paper; counted in epochs,
# a resumed run sees what an uninterrupted one sees. No warm-up, and weight
# decay on everything that is trained (biases, norms, tokens), as published.
_base_ = './epochs.py'

train_cfg = dict(max_epochs=53, val_interval=5)
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=4e-4, betas=(0.9, 0.999), weight_decay=0.05
    ),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max=53,
        eta_min=0,
        by_epoch=True,
        begin=0,
        end=53,
        convert_to_iter_based=True,
    )
]
# 8 GPUs x 32 clips; `--auto-scale-lr` adapts the rate to other batch sizes.
auto_scale_lr = dict(enable=False, base_batch_size=256)
