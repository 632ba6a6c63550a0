# EVL's schedule on Something-Something V2: 45 epochs of 168,913 clips are the
# 30,000 steps of 256 clips that its author names.
_base_ = './adamw_53e.py'

train_cfg = dict(max_epochs=45)
(cosine,) = _base_.param_scheduler
param_scheduler = [dict(cosine, T_max=45, end=45)]
del cosine
