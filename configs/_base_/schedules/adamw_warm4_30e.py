# Side4Video's schedule: adamw_warm3_50e.py with a warm-up over 4 of 30 epochs,
# a rate of 1e-3 and a weight decay of 0.15.
_base_ = './adamw_warm3_50e.py'

train_cfg = dict(max_epochs=30)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.15))
warm_up, cosine = _base_.param_scheduler
param_scheduler = [
    dict(warm_up, end=4),
    dict(cosine, T_max=26, begin=4, end=30),
]
# 8 GPUs x 32 clips.
auto_scale_lr = dict(base_batch_size=256)
del warm_up, cosine
