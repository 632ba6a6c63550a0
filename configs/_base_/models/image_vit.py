# CLIP's ViT-B/16, frozen, frame by frame.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ImageViT', arch='base-p16', pretrained='openai/ViT-B-16'
    ),
    cls_head=dict(
        type='Float32I3DHead', in_channels=768, average_clips='prob'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.769, 116.74, 104.04],
        std=[68.493, 66.63, 70.321],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
