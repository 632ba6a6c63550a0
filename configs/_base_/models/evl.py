# EVL on CLIP's ViT-B/16. EVLRecognizer is Recognizer3D; official checkpoints
# fit it as they are.
model = dict(
    type='EVLRecognizer',
    backbone=dict(
        type='EVL',
        trunk='openai/ViT-B-16',
        decoder_num_layers=4,
    ),
    cls_head=dict(type='EVLHead', average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
    test_cfg=dict(max_testing_views=4),
)
