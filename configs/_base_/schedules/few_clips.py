# Few clips: AdamW, a tenth of the steps linear warm-up, cosine to zero, in
# every iteration. `tools/fit.py` chooses epochs and rates by the clips.
_base_ = './epochs.py'

max_epochs = 40
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        # EVL's position and motion start at zero and must become as large as
        # the features within some hundred steps; without that the decoder
        # learns rooms and people by heart.
        custom_keys=dict(
            temporal_pos_embed=dict(lr_mult=30.0, decay_mult=0.0),
            motion=dict(lr_mult=30.0, decay_mult=0.0),
        ),
    ),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.02,
        by_epoch=True,
        begin=0,
        end=max_epochs // 10,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - max_epochs // 10,
        by_epoch=True,
        begin=max_epochs // 10,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
