# The same over 35 epochs.
_base_ = './sgd_30e.py'

train_cfg = dict(max_epochs=35)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=35, end=35)
