# ViViT-B/16x2, 32 frames. ViViTRecognizer is Recognizer3D; checkpoints of
# scenic and of Hugging Face fit it as they are.
model = dict(
    type='ViViTRecognizer',
    backbone=dict(
        arch='base-p16',
        num_frames=32,
        tubelet_size=2,
        pretrained='scenic/ViT_B_16_ImageNet21k',
    ),
    cls_head=dict(
        type='ViViTHead',
        in_channels=768,
        dropout_ratio=0.0,
        average_clips='logit',
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
