# The quick start's classifier, without the backbone.
model = dict(
    type='Recognizer3D',
    cls_head=dict(
        type='Float32I3DHead', dropout_ratio=0.0, average_clips='prob'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[60.0, 60.0, 60.0],
        std=[60.0, 60.0, 60.0],
        format_shape='NCTHW',
    ),
)
