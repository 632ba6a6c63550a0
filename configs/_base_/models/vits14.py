# A real frozen ViT-S/14, without a method: DINOv2 in CLIP's names.
trunk = dict(
    trunk='facebook/dinov2-small',
    pretrained='data/weights/dinov2_vits14_as_clip_visual_fp16.pt',
)
model = dict(
    type='AdaptedRecognizer',
    backbone=trunk,
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
)
