# DualPath on CLIP's ViT-B/16, 16 frames.
model = dict(
    type='DualPathRecognizer',
    backbone=dict(
        type='DualPath',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        num_frames=16,
        variant='paper',
        output_dims=512,
    ),
    cls_head=dict(
        type='DualPathHead', in_channels=1024, average_clips='score'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
