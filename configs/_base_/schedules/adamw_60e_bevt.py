# BEVT's fine-tuning on Something-Something V2: adamw_60e.py at 5e-4 for 8
# accumulated clips a GPU. The backbone learns at a tenth of the head's rate,
# except for the tables of relative positions: the longest key that a name
# holds counts alone.
_base_ = './adamw_60e.py'

optim_wrapper = dict(
    accumulative_counts=8,
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(
            backbone=dict(lr_mult=0.1),
            relative_position_bias_table=dict(decay_mult=0.0),
        ),
    ),
)
