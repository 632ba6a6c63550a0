# adamw_30e.py over 60 epochs.
_base_ = './adamw_30e.py'

train_cfg = dict(max_epochs=60)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=60, end=60)]
del warm_up, cosine
