"""BEVT in miniature, stage 1: masked frames of the quick start's clips.

2.5 M parameters; the images are every fourth frame of the training clips (a
clip and its reversal have none in common), the vocabulary is fitted on them:
    python tools/extract_frames.py quickstart/clips/appearance_train.txt \
        quickstart/bevt_images --every 4
    python tools/fit_tokenizer.py quickstart/bevt_images \
        --config quickstart/bevt_image --out quickstart/bevt_tokens/centres.pth
    python tools/train.py quickstart/bevt_image \
        --work-dir quickstart/bevt_image
"""
_base_ = ['../_base_/default_runtime.py']

image_root = '{{$QUICKSTART:quickstart}}/bevt_images/'
# Maps of 16 x 16, 8 x 8 and 4 x 4 tokens; a token of the second is predicted.
# Windows of one frame: the tables are those of an image Swin.
model = dict(
    type='BEVTPretrainer',
    backbone=dict(
        type='BEVTSwin',
        arch=dict(embed_dims=48, depths=(2, 2, 2), num_heads=(2, 4, 8)),
        img_size=64,
        num_frames=8,
        window_size=(1, 4, 4),
        streams=('image', ),
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

image_pipeline = [
    dict(type='ImageDecode'),
    dict(type='Resize', scale=(-1, 72), interpolation='area'),
    dict(type='RandomCrop', size=64),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='TokenizerView', size=64),
    dict(type='FormatShape', input_format='NCHW', collapse=True),
    dict(type='BlockMask', grid=8, num_masked=32, min_block=6),
    dict(
        type='PackActionInputs',
        meta_keys=('img_shape', 'filename'),
        algorithm_keys=('mask', 'view'),
    ),
]
# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageListDataset',
        ann_file=image_root + 'images.txt',
        data_prefix=dict(img=image_root),
        pipeline=image_pipeline,
    ),
)

max_epochs = 25
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TrainedParamsConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            relative_position_bias_table=dict(decay_mult=0.0),
            norm=dict(decay_mult=0.0),
        )
    ),
    clip_grad=dict(max_norm=3.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.01,
        by_epoch=True,
        begin=0,
        end=2,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - 2,
        by_epoch=True,
        begin=2,
        end=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(
    logger=dict(interval=30),
    checkpoint=dict(interval=5, save_best=None, max_keep_ckpts=1),
)
randomness = dict(seed=0)
