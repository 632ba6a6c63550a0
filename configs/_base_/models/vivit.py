# ViViT-B/16x2, 32 frames. ViViTRecognizer is Recognizer3D; checkpoints of
# scenic and of Hugging Face fit it as they are.
model = dict(
    type='ViViTRecognizer',
    backbone=dict(
        trunk='scenic/ViT_B_16_ImageNet21k',
        num_frames=32,
        tubelet_size=2,
    ),
    cls_head=dict(
        type='ViViTHead', dropout_ratio=0.0, average_clips='logit'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
    test_cfg=dict(max_testing_views=4),
)
