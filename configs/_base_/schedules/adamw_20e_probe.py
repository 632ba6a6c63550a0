# Probes of V-JEPA 2: 20 epochs of 256 clips, no warm-up, cosine to zero. The
# paper trains 20 probes at once, rates of 1e-4 to 5e-3 times decays of 0.01 to
# 0.8, and reports the best on the validation set; this is the middle of them.
_base_ = './adamw_53e.py'

train_cfg = dict(max_epochs=20, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.1))
(cosine,) = _base_.param_scheduler
param_scheduler = [dict(cosine, T_max=20, end=20)]
del cosine
