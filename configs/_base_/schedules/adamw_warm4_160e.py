# adamw_warm4_100e.py over 160 epochs.
_base_ = './adamw_warm4_100e.py'

train_cfg = dict(max_epochs=160)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=156, end=160)]
del warm_up, cosine
