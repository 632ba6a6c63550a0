# BEVT's pretraining on the tokens of DALL-E, without the backbone.
model = dict(
    type='BEVTPretrainer',
    cls_head=dict(type='BEVTHead', num_classes=8192),
    tokenizer=dict(
        type='DALLETokenizer', pretrained='openmmlab/dalle_encoder'
    ),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='MIX2d3d',
    ),
)
