# adamw_30e.py over 40 epochs.
_base_ = './adamw_30e.py'

train_cfg = dict(max_epochs=40)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=40, end=40)]
del warm_up, cosine
