# A real frozen ViT-S/14, without a method. It is DINOv2 in CLIP's names: its
# patch bias is part of the positions.
trunk = dict(
    arch='small-p14',
    dialect=dict(pre_norm=False, act='gelu', eps=1e-6, patch_bias=False),
    pretrained='data/weights/dinov2_vits14_as_clip_visual_fp16.pt',
)
model = dict(
    type='Recognizer3D',
    backbone=trunk,
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
)
