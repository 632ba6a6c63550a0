"""BEVT Swin-B, 32 frames, K400 (https://arxiv.org/abs/2112.01529).

Published: 80.6 % top-1 (official README, DALL-E tokens); 81.1 % top-1
(official README, PeCo tokens); 81.5 % top-1 (official README, PeCo tokens, 100
epochs), 32x4x3 views.
    tools/dist_train.sh configs/bevt/swinb_k400.py 8 --amp
"""
_base_ = [
    '../_base_/data/kinetics400.py',
    '../_base_/views/dense_32x2_4x3.py',
    '../_base_/models/video_swin.py',
    '../_base_/schedules/adamw_60e.py',
    '../_base_/runtime.py',
]

model = dict(
    backbone=dict(window_size=(8, 7, 7), drop_path_rate=0.3),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=4),
)
train_dataloader = dict(
    batch_size=2, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# The rate shrinks by a tenth in every block, counted from the last one. The
# longest key that a name holds counts alone, so the tables of relative
# positions learn at the full rate, and the norms in blocks are decayed.
keys = ['backbone.norm']
for i, depth in reversed([*enumerate((2, 2, 18, 2))]):
    keys += [f'backbone.layers.{i}.blocks.{j}' for j in reversed(range(depth))]
    keys += [f'backbone.layers.{i - 1}.downsample'] * (i > 0)
keys += ['backbone.patch_embed']
# The norm shares its rate with the last block.
rates = [0.9 ** max(i, 1) for i in range(len(keys))]
custom_keys = {k: dict(lr_mult=rate) for k, rate in zip(keys, rates)}
custom_keys['backbone.norm']['decay_mult'] = 0.0
custom_keys['relative_position_bias_table'] = dict(decay_mult=0.0)
del keys, rates, i, depth
optim_wrapper = dict(
    accumulative_counts=4,
    clip_grad=dict(max_norm=40),
    optimizer=dict(weight_decay=0.001),
    paramwise_cfg=dict(_delete_=True, custom_keys=custom_keys),
)
del custom_keys
