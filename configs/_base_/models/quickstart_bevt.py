# BEVT in miniature: maps of 16 x 16, 8 x 8 and 4 x 4 tokens; a token of the
# second is predicted.
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTSwin',
        arch=dict(embed_dims=48, depths=(2, 2, 2), num_heads=(2, 4, 8)),
        img_size=64,
        num_frames=8,
        image_mask_mode='swin',
    ),
    cls_head=dict(type='BEVTHead', num_classes=128, in_channels=192),
    tokenizer=dict(
        type='KMeansTokenizer',
        pretrained='{{$QUICKSTART:quickstart}}/bevt_tokens/centres.pth',
        vocab_size=128,
        input_size=64,
        patch_size=8,
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[60.0, 60.0, 60.0],
        std=[60.0, 60.0, 60.0],
        format_shape='MIX2d3d',
    ),
)
