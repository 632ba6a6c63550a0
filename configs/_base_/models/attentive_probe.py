# CLIP's ViT-B/16, frozen, and an attentive probe on the tokens of all frames
# of two segments of a video.
model = dict(
    type='AdaptedRecognizer',
    backbone=dict(
        type='AttentiveProbe',
        trunk='openai/ViT-B-16',
        num_frames=8,
        num_segments=2,
    ),
    cls_head=dict(
        type='Float32I3DHead', dropout_ratio=0.0, average_clips='prob'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        format_shape='NCTHW',
        blending=dict(type='VideoRandomErasing', prob=0.25),
    ),
    test_cfg=dict(max_testing_views=2),
)
