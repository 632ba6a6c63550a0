# sgd_30e.py over 35 epochs.
_base_ = './sgd_30e.py'

train_cfg = dict(max_epochs=35)
warm_up, cosine = _base_.param_scheduler
param_scheduler = [warm_up, dict(cosine, T_max=35, end=35)]
del warm_up, cosine
