# adamw_30e.py; the backbone learns at a tenth of the head's rate. 'backbone'
# is a longer key than 'ln_' and wins, so that here ln_post is decayed, too.
_base_ = './adamw_30e.py'

optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))
)
