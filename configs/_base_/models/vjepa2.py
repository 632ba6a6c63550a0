# V-JEPA 2's ViT-L/16, frozen, and an attentive probe on its tokens, those of
# two segments of a video.
model = dict(
    type='AdaptedRecognizer',
    backbone=dict(
        type='VJEPA2',
        trunk='facebook/vjepa2-vitl-fpc64-256',
        num_frames=16,
        num_segments=2,
        out_type='attn_pool',
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
