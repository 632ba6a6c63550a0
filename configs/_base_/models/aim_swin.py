# AIM on a Swin-B of ImageNet-21K.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='AIMSwin',
        arch='base',
        pretrained='microsoft/swin_base_patch4_window7_224_22k',
        num_frames=32,
    ),
    cls_head=dict(
        type='Float32I3DHead', in_channels=1024, average_clips='prob'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
)
