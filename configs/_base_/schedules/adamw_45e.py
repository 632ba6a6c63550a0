# EVL's schedule on Something-Something V2: 45 epochs of 168,913 clips are the
# 30,000 steps of 256 clips that its author names.
_base_ = './adamw_53e.py'

train_cfg = dict(max_epochs=45)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max=45,
        eta_min=0,
        by_epoch=True,
        begin=0,
        end=45,
        convert_to_iter_based=True,
    )
]
