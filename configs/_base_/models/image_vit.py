# CLIP's ViT-B/16, frozen, frame by frame.
model = dict(
    type='AdaptedRecognizer',
    backbone=dict(type='ImageViT', trunk='openai/ViT-B-16'),
    cls_head=dict(type='Float32I3DHead', average_clips='prob'),
    # CLIP's mean and deviation, as AIM's code rounds them.
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.769, 116.74, 104.04],
        std=[68.493, 66.63, 70.321],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
