# Video Swin-B, 32 frames, from BEVT's pretraining.
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='BEVTVideoSwin',
        arch='base',
        num_frames=32,
        pretrained='bevt/swinb_in1k_k400',
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
