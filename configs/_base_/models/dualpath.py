# DualPath on CLIP's ViT-B/16, 16 frames.
model = dict(
    type='DualPathRecognizer',
    backbone=dict(
        type='DualPath',
        trunk='openai/ViT-B-16',
        num_frames=16,
        variant='paper',
        output_dims=512,
    ),
    cls_head=dict(type='DualPathHead', average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
    test_cfg=dict(max_testing_views=4),
)
