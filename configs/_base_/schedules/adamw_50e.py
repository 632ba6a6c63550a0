# adamw_30e.py over 50 epochs.
_base_ = './adamw_30e.py'

train_cfg = dict(max_epochs=50)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=50, end=50)]
del warm_up, cosine
