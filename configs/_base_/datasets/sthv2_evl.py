# The first edition's name of a data set and its view.
_base_ = ['../data/sthv2.py', '../views/evl_spread_8.py']

train_dataloader = dict(
    batch_size=32, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
