# What every schedule has: epochs, and an optimizer for what is trained.
train_cfg = dict(type='EpochBasedTrainLoop', val_begin=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper', constructor='TrainedParamsConstructor'
)
