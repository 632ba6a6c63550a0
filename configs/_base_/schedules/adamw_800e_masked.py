# BEVT's stage 1, after BEiT: 32 GPUs x 32 images x 2 forward passes at 1.5e-3,
# 800 epochs.
_base_ = './adamw_150e_masked.py'

train_cfg = dict(max_epochs=800)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
auto_scale_lr = dict(base_batch_size=2048)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=800, end=800, eta_min=1e-5)]
del warm_up, cosine
