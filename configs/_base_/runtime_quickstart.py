# The runtime of the quick start: the same numbers every time, one checkpoint.
_base_ = './runtime.py'

default_hooks = dict(
    logger=dict(interval=30),
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
