# Steps that views of 224 px have in common, by name. A view takes them out of
# its base with `_base_.pop('steps')`, so that no config has them besides its
# pipelines.
#
# `filename` lets a loss that is not finite name its clips.
pack = dict(
    type='PackActionInputs',
    meta_keys=('img_shape', 'img_key', 'video_id', 'timestamp', 'filename'),
)
finish = [dict(type='FormatShape', input_format='NCTHW'), pack]
decode = dict(type='VideoDecode')
random_part = [
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
]
augment = 'ClipRandAugment'
rand_augment = dict(
    type='TorchVisionWrapper',
    op='RandAugment',
    num_ops=4,
    magnitude=7,
    fill=[128] * 3,
)
center = dict(type='CenterCrop', crop_size=224)
steps = dict(
    init=dict(type='VideoInit', backend='auto'),
    decode=decode,
    finish=finish,
    # Training: a random part of the frame, and what is done to its colours.
    crop=[decode, dict(type='Resize', scale=(-1, 256)), *random_part],
    evl_crop=[
        decode,
        dict(type=augment, num_ops=4, magnitude=7, magnitude_std=0.5),
        *random_part,
    ],
    zeroi2v_crop=[
        decode,
        dict(type='Resize', scale=(-1, 256)),
        rand_augment,
        *random_part,
    ],
    dualpath_crop=[
        decode,
        dict(type=augment, num_ops=2, magnitude=10, magnitude_std=0.0),
        *random_part,
    ],
    flip=dict(type='Flip', flip_ratio=0.5),
    # Operations and magnitudes are drawn once for all frames of a clip, in the
    # recipes above, too.
    rand_augment=rand_augment,
    # The colour noise that `ColorJitter()` was in mmaction 0.x.
    pca_lighting=dict(type='PCALighting'),
    # Testing: what follows the choice of frames.
    center_256=[decode, dict(type='Resize', scale=(-1, 256)), center, *finish],
    center_224=[decode, dict(type='Resize', scale=(-1, 224)), center, *finish],
    three_crops=[
        decode,
        dict(type='Resize', scale=(-1, 224)),
        dict(type='ThreeCrop', crop_size=224),
        *finish,
    ],
)
del finish, decode, random_part, augment, rand_augment, center
