"""The recipes of papers and released code, beside what metafiles say.

``RECIPES`` is read from the top: a config has the facts of every row whose
pattern its name matches, and of two rows with a fact, the later one's. A fact
that no row names, a config must not have.
"""

from fnmatch import fnmatch

ADAMW = 'AdamW(betas=(0.9, 0.999), weight_decay=0.05)'
SGD = 'SGD(momentum=0.9, weight_decay=0.0)'
NO_DECAY = dict(decay_mult=0.0)
SPARED = dict(
    class_embedding=NO_DECAY, positional_embedding=NO_DECAY, ln_=NO_DECAY
)
SLOW = dict(backbone=dict(lr_mult=0.1))
TABLES = dict(relative_position_bias_table=NO_DECAY)
# E: epochs, R: epochs without the warm-up.
WARM = (
    'LinearLR(begin=0, by_epoch=True, convert_to_iter_based=True, end={}, '
    'start_factor={})'
).format
COSINE = 'CosineAnnealingLR(T_max=E, begin=0, by_epoch=True, end=E, eta_min=0)'
STEPWISE = COSINE.replace('=True,', '=True, convert_to_iter_based=True,')
ERASING = 'VideoRandomErasing(prob={})'.format
# Views. T: frames, P: pixels, S: stride, C: the crop of the test views;
# @: what tests add.
DENSE = 'MidpointSampleFrames(clip_len=T, frame_interval=S@)'
SPREAD = 'MidpointUniformSample(clip_len=T@)'
CROP = 'RandomResizedCrop Resize(keep_ratio=False, scale=(P, P))'
AIM = f'Resize(scale=(-1, 256)) {CROP} '
FLIP = 'Flip(flip_ratio=0.5)'
RAND_AUGMENT = (
    'TorchVisionWrapper(fill=[128, 128, 128], magnitude=7, num_ops=4, '
    "op='RandAugment')"
)
CLIP_AUGMENT = (
    'ClipRandAugment(magnitude={}, magnitude_std={}, num_ops={}) ' + CROP
).format
COLOURS = (
    'RandomApply(prob=0.8, transforms=[TorchVisionWrapper(brightness=0.125, '
    "contrast=0.4, hue=0.2, op='ColorJitter', saturation=0.4)]) "
    "TorchVisionWrapper(op='RandomGrayscale', p=0.1)"
)
VIVIT_SSV2 = (
    'RandomRescale(scale_range=(259, 383)) RandomCrop(size=P) ClipRandAugment('
    "magnitude=20, magnitude_std=0, num_ops=2, policies='non_geometric', "
    'total_level=30)'
)
FINISH = (
    "FormatShape(input_format='NCTHW') PackActionInputs(meta_keys=("
    "'img_shape', 'img_key', 'video_id', 'timestamp', 'filename'))"
)
PICTURE = (
    "RandomRescale(interpolation='bicubic', scale_range=(256, 320)) {}"
    f'RandomCrop(size=P) {FLIP} TokenizerView(size=112) FormatShape('
    "collapse=True, input_format='{}') {} PackActionInputs("
    "algorithm_keys=('mask', 'view'), meta_keys=('img_shape', 'filename'))"
)
MASK = '(grid=14, min_block=16{}, num_masked=98)'
CLIPS = PICTURE.format('', 'NCTHW', f'TubeMask{MASK.format(", num_frames=8")}')
IMAGES = PICTURE.format(
    'ColorJitter(brightness=0.4, contrast=0.4, hue=0.0, saturation=0.4) ',
    *('NCHW', f'BlockMask{MASK.format("")}'),
)

DIVING_PROBE = dict(
    num_segments=4,
    max_testing_views=4,
    train=f'{CLIP_AUGMENT(7, 0.5, 4)} {FLIP}',
    optimizer=ADAMW.replace('0.05', '0.8'),
    lr=3e-4,
    val_interval=5,
)

RECIPES = {
    '*': dict(gpus=8, sides=(256, 224), finish=FINISH),
    '*_k400': dict(num_classes=400),
    '*_k600': dict(num_classes=600),
    '*_k700': dict(num_classes=700),
    '*_diving48': dict(num_classes=48),
    '*_hmdb51': dict(num_classes=51),
    '*_ssv2*': dict(num_classes=174),
    # AIM, and the baselines, which share its data, views and schedule.
    'aim/*': dict(drop_path_rate=0.2),
    '[apz]*/*': dict(
        model='AdaptedRecognizer',
        head='Float32I3DHead',
        average_clips='prob',
        optimizer=ADAMW,
        lr=3e-4,
        keys=SPARED,
        schedule=f'{WARM(2.5, 0.1)} {COSINE}',
        val_interval=1,
        sample=DENSE,
        span=128,
        train=AIM + FLIP,
        max_testing_views=4,
    ),
    'aim/vitl14*_k400': dict(
        train=f'{AIM}{FLIP} PCALighting', keys={**SPARED, **SLOW}
    ),
    'aim/*_diving48': dict(sample=SPREAD, span=None),
    'aim/*_charades': dict(
        num_classes=157,
        multi_class=True,
        loss_cls=dict(type='mmpretrain.AsymmetricLoss'),
        sample=SPREAD,
        span=None,
    ),
    'aim/*_ssv2': dict(
        sample=SPREAD,
        span=None,
        train=AIM + RAND_AUGMENT,
        num_t_adapters=2,
        adapter_scale=1.0,
        label_smooth_eps=0.1,
        blending=ERASING(0.25),
        max_testing_views=2,
    ),
    'aim/vitl14*_ssv2': dict(keys={**SPARED, **SLOW}),
    'aim/swinb_*': dict(
        keys=SLOW, span=64, num_t_adapters=None, adapter_scale=None
    ),
    'aim/swinb_k400': dict(lr=1e-3),
    'aim/swinb_ssv2': dict(drop_path_rate=0.4, span=None),
    'petl/full_finetune*': dict(
        full_finetune=True,
        keys=dict(
            class_embedding=dict(decay_mult=0.0, lr_mult=0.1),
            positional_embedding=dict(decay_mult=0.0, lr_mult=0.1),
            ln_=NO_DECAY,
            **SLOW,
        ),
    ),
    'petl/vpt*': dict(num_prompts=50),
    'petl/adaptformer*': dict(adapter_dims=64, adapter_scale=0.1),
    'petl/st_adapter*': dict(adapter_dims=384),
    'petl/lora*': dict(rank=8, alpha=8.0, targets=('q', 'v')),
    # ZeroI2V: AIM's schedule, RandAugment before the crop.
    'zeroi2v/*': dict(
        train=f'Resize(scale=(-1, 256)) {RAND_AUGMENT} {CROP} {FLIP}'
    ),
    'zeroi2v/*_16f_*': dict(shifts=(-1, 1, -2, 2)),
    'zeroi2v/*_32f_*': dict(shifts=(-1, 1, -2, 2, -3, 3, -4, 4)),
    'zeroi2v/*_ssv2': dict(
        sample=SPREAD,
        span=None,
        train=f'Resize(scale=(-1, 256)) {RAND_AUGMENT} {CROP} '
        'Flip(flip_label_map={86: 87, 87: 86, 93: 94, 94: 93, 166: 167, '
        '167: 166}, flip_ratio=0.5)',
        adapter_scale=1.0,
        adapter_dropout=0.0,
        label_smooth_eps=0.1,
        blending=ERASING(0.25),
        max_testing_views=2,
    ),
    # Side4Video.
    'side4video/*': dict(
        model='AdaptedRecognizer',
        head='Float32I3DHead',
        average_clips='prob',
        optimizer=ADAMW.replace('0.05', '0.15'),
        lr=1e-3,
        schedule=f'{WARM(4, 1e-06)} '
        + STEPWISE.replace('T_max=E', 'T_max=26').replace('=0, ', '=4, ', 1),
        val_interval=1,
        sample=SPREAD,
        train=AIM + FLIP,
        span=None,
        side_dims=320,
        sync_bn=False,
        label_smooth_eps=0.1,
        max_testing_views=4,
    ),
    'side4video/*_ssv2': dict(train=AIM + RAND_AUGMENT),
    # EVL: no warm-up, everything decayed, RandAugment before the crop.
    'evl/*': dict(
        model='EVLRecognizer',
        head='EVLHead',
        average_clips='prob',
        optimizer=ADAMW,
        lr=4e-4,
        schedule=STEPWISE,
        val_interval=5,
        decoder_num_layers=4,
        sample='ExactSpanSampleFrames(clip_len=T, frame_interval=S@)',
        span=128,
        train=CLIP_AUGMENT(7, 0.5, 4),
        sides=(224, 224),
        keys=None,
        max_testing_views=4,
    ),
    'evl/*_16f_*': dict(span=256),
    'evl/*_32f_*': dict(span=256),
    'evl/*14*': dict(accumulate=4, base_batch_size=64),
    'evl/*336*': dict(sides=(336, 336), max_testing_views=1),
    'evl/*_ssv2': dict(
        decoder_num_layers=12, sample=SPREAD, span=None, max_testing_views=3
    ),
    'evl/vitl14_32f_ssv2': dict(max_testing_views=1),
    'evl/*_finetuned': dict(full_finetune=True, num_classes=400),
    # DualPath: rates for 256 clips are 3.5e-4, 7e-4 and 0.03.
    'dualpath/*': dict(
        model='DualPathRecognizer',
        head='DualPathHead',
        average_clips='score',
        optimizer=ADAMW,
        lr=3.5e-4 / 4,
        schedule=f'{WARM(3, 1e-06)} '
        + STEPWISE.replace('T_max=E', 'T_max=R').replace('begin=0', 'begin=3'),
        val_interval=1,
        sample='RandomStrideSampleFrames(clip_len=T@)',
        span=None,
        train=f'{CLIP_AUGMENT(10, 0.0, 2)} {FLIP}',
        sides=(224, 224),
        variant='paper',
        output_dims=512,
        keys=None,
        max_testing_views=4,
    ),
    'dualpath/vitl14*': dict(output_dims=768),
    'dualpath/*_ssv2': dict(
        train=CLIP_AUGMENT(10, 0.0, 2),
        variant='paper-ssv2',
        blending=ERASING(0.1),
        max_testing_views=2,
    ),
    'dualpath/*_diving48': dict(lr=7e-4 / 4, blending=ERASING(0.1)),
    'dualpath/*_hmdb51': dict(lr=0.03 / 4, blending=ERASING(0.5)),
    # ViViT.
    'vivit/*': dict(
        model='ViViTRecognizer',
        head='ViViTHead',
        average_clips='logit',
        dropout_ratio=0.0,
        tubelet_size=2,
        optimizer=SGD,
        lr=0.1,
        clip_grad=1.0,
        schedule=f'{WARM(2.5, 1e-06)} {STEPWISE}',
        val_interval=1,
        sample='SpreadSampleFrames(clip_len=T, frame_interval=S@)',
        span=64,
        train='RandomRescale(scale_range=(230, 340)) RandomCrop(size=P) '
        f'{FLIP} {COLOURS}',
        sides=(256, 256),
        three='CentredThreeCrop',
        max_testing_views=4,
    ),
    'vivit/b16x2_k400': dict(out_type='cls_token'),
    'vivit/*_fe_*': dict(
        inflation=dict(class_token=False), temporal_num_layers=24
    ),
    'vivit/b16x2_fe_*': dict(temporal_num_layers=4, lr=0.05),
    'vivit/b16x2_avgpool*': dict(
        inflation=dict(class_token=False), temporal_num_layers=0, lr=0.05
    ),
    'vivit/b16x2_fsa*': dict(
        attention_order='time_space',
        inflation=dict(temporal_attention='zero_output'),
    ),
    'vivit/l16x2_fe_k600': dict(lr=0.05),
    'vivit/*_ssv2': dict(
        lr=0.4,
        span=32,
        train=VIVIT_SSV2,
        sides=(288, 288),
        temporal_num_layers=4,
        drop_path_rate=0.3,
        drop_path_mode='official',
        inflation=dict(class_token=False, positions='resize'),
        label_smooth_eps=0.3,
        blending='MixupBlending(alpha=0.3, num_classes=174)',
    ),
    # V-JEPA 2: probes.
    'vjepa2/*': dict(
        model='AdaptedRecognizer',
        head='Float32I3DHead',
        average_clips='prob',
        dropout_ratio=0.0,
        out_type='attn_pool',
        optimizer=ADAMW.replace('0.05', '0.1'),
        lr=1e-3,
        schedule=STEPWISE,
        val_interval=1,
        blending=ERASING(0.25),
        sample='SpreadSampleFrames(clip_len=T, frame_interval=S@)',
        span=64,
        train=CLIP_AUGMENT(7, 0.5, 4),
        sides=(292, 292),
        three='CentredThreeCrop',
        num_segments=2,
        max_testing_views=2,
    ),
    'vjepa2/*_k400*': dict(
        num_classes=400, train=f'{CLIP_AUGMENT(7, 0.5, 4)} {FLIP}'
    ),
    'vjepa2/*_linear': dict(out_type='avg_featmap'),
    'vjepa2/*_epic100': dict(
        head='MultiTaskVideoHead',
        average_clips=None,  # its own default
        num_classes=dict(verb=97, noun=300, action=3806),
        num_queries=3,
        pooler=dict(num_queries=3),
        loss_cls=dict(type='mmpretrain.FocalLoss'),
        train=f'{CLIP_AUGMENT(7, 0.5, 4)} {FLIP}',
    ),
    'vjepa2/*_diving48': dict(
        DIVING_PROBE,
        out_indices=(17, 19, 21, 23),
        with_cp=True,
        accumulate=8,
    ),
    # Attentive probes: V-JEPA 2's recipe at 224 pixels.
    'attentive_probe/*': dict(
        drop_path_rate=None,
        model='AdaptedRecognizer',
        head='Float32I3DHead',
        average_clips='prob',
        dropout_ratio=0.0,
        optimizer=ADAMW.replace('0.05', '0.1'),
        lr=1e-3,
        schedule=STEPWISE,
        keys=None,
        val_interval=1,
        blending=ERASING(0.25),
        sample='SpreadSampleFrames(clip_len=T, frame_interval=S@)',
        span=64,
        train=CLIP_AUGMENT(7, 0.5, 4),
        sides=(256, 256),
        three='CentredThreeCrop',
        num_segments=2,
        max_testing_views=2,
    ),
    'attentive_probe/*_k400': dict(train=f'{CLIP_AUGMENT(7, 0.5, 4)} {FLIP}'),
    'attentive_probe/*_diving48': dict(DIVING_PROBE, accumulate=4),
    # BEVT: fine-tuning.
    'bevt/*': dict(
        model='Recognizer3D',
        head='Float32I3DHead',
        average_clips='prob',
        optimizer=ADAMW,
        lr=5e-4,
        schedule=f'{WARM(2.5, 0.1)} {COSINE}',
        val_interval=1,
        accumulate=8,
        keys={**SLOW, **TABLES},
        drop_path_rate=0.4,
        window_size=(16, 7, 7),
        label_smooth_eps=0.1,
        blending=ERASING(0.25),
        sample=SPREAD,
        span=None,
        train=AIM + RAND_AUGMENT,
        hooks='EMAHook(momentum=0.0002)',
        max_testing_views=3,
    ),
    'bevt/swinb_k400': dict(
        lr=3e-4,
        optimizer=ADAMW.replace('0.05', '0.001'),
        clip_grad=40,
        accumulate=4,
        keys='layer decay',
        drop_path_rate=0.3,
        window_size=(8, 7, 7),
        label_smooth_eps=None,
        blending=None,
        sample=DENSE,
        span=64,
        train=AIM + FLIP,
        hooks=None,
        max_testing_views=4,
    ),
    'bevt/timesformer_k400': dict(
        head='TimeSformerHead',
        lr=0.005,
        optimizer='SGD(momentum=0.9, nesterov=True, weight_decay=0.0001)',
        clip_grad=40,
        accumulate=None,
        keys={
            f'backbone.{name}': NO_DECAY
            for name in ('cls_token', 'pos_embed', 'time_embed')
        },
        schedule='MultiStepLR(by_epoch=True, gamma=0.1, milestones=[5, 10])',
        val_interval=None,
        drop_path_rate=None,
        window_size=None,
        attention_type='divided_space_time',
        embed_dims=768,
        patch_size=16,
        norm_cfg=dict(type='LN', eps=1e-6),
        label_smooth_eps=None,
        blending=None,
        sample=DENSE,
        span=256,
        train=AIM + FLIP,
        hooks=None,
        max_testing_views=None,
    ),
    # BEVT: pretraining.
    'bevt/pretrain_*': dict(
        model='BEVTPretrainer',
        head='BEVTHead',
        num_classes=8192,
        average_clips=None,
        gpus=32,
        clip_grad=3.0,
        accumulate=2,
        keys=dict(norm=NO_DECAY, **TABLES),
        schedule=f'{WARM(10, 0.1)} {STEPWISE}',
        val_interval=None,
        drop_path_rate=0.3,
        window_size=(8, 7, 7),
        label_smooth_eps=None,
        blending=None,
        hooks=None,
        sample='SampleFrames(clip_len=T, frame_interval=S@)',
        span=128,
        train=CLIPS,
        images=IMAGES,
        finish='',
        max_testing_views=None,
    ),
    'bevt/pretrain_*_in1k': dict(
        lr=1.5e-3,
        streams=('image',),
        schedule=f'{WARM(10, 0.1)} '
        + STEPWISE.replace('eta_min=0', 'eta_min=1e-05'),
        drop_path_rate=0.1,
        window_size=(1, 7, 7),
    ),
    'bevt/pretrain_swinb_k400*': dict(streams=('video',)),
    'bevt/pretrain_timesformer*': dict(
        span=256,
        drop_path_rate=None,
        window_size=None,
        keys=dict(
            norm=NO_DECAY,
            cls_token=NO_DECAY,
            pos_embed=NO_DECAY,
            time_embed=NO_DECAY,
        ),
    ),
    'bevt/pretrain_timesformer_in1k': dict(
        keys=dict(norm=NO_DECAY, cls_token=NO_DECAY, pos_embed=NO_DECAY)
    ),
}


def recipe(name: str) -> dict:
    """Return the facts of a config, ``aim/vitb16_k400``."""
    facts: dict = {}
    for pattern, row in RECIPES.items():
        if fnmatch(name, pattern):
            facts.update(row)
    return facts


def word(step: object) -> str:
    """Write a step, a schedule or an optimizer in one word, sorted."""
    if isinstance(step, (list, tuple)):
        return f'[{" ".join(map(word, step))}]'
    given = {k: v for k, v in sorted(step.items()) if k != 'type'}
    given = {k: v for k, v in given.items() if (k, v) != ('num_clips', 1)}
    nested = ('transforms',)
    text = ', '.join(
        f'{k}={word(v) if k in nested else repr(v)}' for k, v in given.items()
    )
    return step['type'] + (f'({text})' if text else '')
