"""V-JEPA 2 ViT-L/16, 32 frames, Diving-48 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/vjepa2/vitl16_32f_diving48.py 8
"""
_base_ = [
    '../_base_/data/diving48.py',
    '../_base_/views/vjepa_32x2_flip.py',
    '../_base_/models/vjepa2.py',
    '../_base_/schedules/adamw_100e_probe.py',
    '../_base_/runtime.py',
]

# Tokens of four blocks; blocks of the probe are computed again for the
# backward pass, since a video has 65,536 tokens.
model = dict(
    backbone=dict(
        num_frames=32,
        num_segments=4,
        out_indices=(17, 19, 21, 23),
        with_cp=True,
    ),
    cls_head=dict(num_classes=_base_.num_classes),
    test_cfg=dict(max_testing_views=4),
)
optim_wrapper = dict(accumulative_counts=8)
train_dataloader = dict(
    batch_size=4, dataset=dict(pipeline=_base_.train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
