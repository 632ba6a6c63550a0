# EVL on CLIP's ViT-B/16. EVLRecognizer is Recognizer3D; official checkpoints
# fit it as they are.
model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        arch='base-p16',
        pretrained='openai/ViT-B-16',
        decoder_num_layers=4,
    ),
    cls_head=dict(type='EVLHead', in_channels=768, average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[122.771, 116.746, 104.094],
        std=[68.501, 66.632, 70.323],
        format_shape='NCTHW',
    ),
    test_cfg=dict(max_testing_views=4),
)
