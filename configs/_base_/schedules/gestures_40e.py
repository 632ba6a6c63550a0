# Gestures: AdamW, linear warm-up over 2.5 of 40 epochs, times a cosine to
# zero, in every iteration.
max_epochs = 40
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            # It starts at zero and is all that the model knows about order.
            temporal_embedding=dict(lr_mult=10.0, decay_mult=0.0),
            # DualPath's head, on features of norm 65, would only swing.
            linear1=dict(lr_mult=0.3),
            linear2=dict(lr_mult=0.3),
        )
    ),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        by_epoch=True,
        begin=0,
        end=2.5,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
