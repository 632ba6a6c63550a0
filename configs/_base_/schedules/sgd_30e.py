# SGD at 0.1 for a batch of 64, 30 epochs: linear warm-up over 2.5 epochs, then
# a cosine to zero, both in every iteration. No weight decay.
_base_ = './epochs.py'

train_cfg = dict(max_epochs=30)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,
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
        convert_to_iter_based=True,
    ),
]
# 8 GPUs x 8 clips; `--auto-scale-lr` adapts the rate to other batch sizes.
auto_scale_lr = dict(enable=False, base_batch_size=64)
