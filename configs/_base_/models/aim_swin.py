# AIM on a Swin-B of ImageNet-21K.
model = dict(
    type='AdaptedRecognizer',
    backbone=dict(
        type='AIMSwin',
        trunk='microsoft/swin_base_patch4_window7_224_22k',
        num_frames=32,
    ),
    cls_head=dict(type='Float32I3DHead', average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', format_shape='NCTHW'
    ),
)
