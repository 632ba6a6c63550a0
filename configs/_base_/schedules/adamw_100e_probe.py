# V-JEPA 2's probe on Diving-48: 100 epochs, a decay of 0.8, and of the rates
# of 1e-4 to 1e-3, one in the middle.
_base_ = './adamw_53e.py'

train_cfg = dict(max_epochs=100, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=3e-4, weight_decay=0.8))
(cosine,) = _base_.param_scheduler
param_scheduler = [dict(cosine, T_max=100, end=100)]
del cosine
