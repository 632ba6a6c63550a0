# The first edition's name of a data set and its view.
_base_ = ['../data/sthv2.py', '../views/vivit_32x1_256px.py']

train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
