# ViViT: 32 x 2 frames, short side 256 jittered by 0.9 to 1.33, random crop,
# flip, colours; 4 x 3 test views.
_base_ = './steps.py'

steps = _base_.pop('steps')
num_frames = 32
sample = dict(
    type='SpreadSampleFrames', clip_len=num_frames, frame_interval=2
)
jitter = dict(
    type='TorchVisionWrapper',
    op='ColorJitter',
    brightness=0.125,
    contrast=0.4,
    saturation=0.4,
    hue=0.2,
)
train_pipeline = [
    steps.init,
    sample,
    steps.decode,
    dict(type='RandomRescale', scale_range=(230, 340)),
    dict(type='RandomCrop', size=224),
    steps.flip,
    dict(type='RandomApply', transforms=[jitter], prob=0.8),
    dict(type='TorchVisionWrapper', op='RandomGrayscale', p=0.1),
    *steps.finish,
]
val_pipeline = [steps.init, dict(sample, test_mode=True), *steps.center_256]
test_pipeline = [
    steps.init,
    dict(sample, num_clips=4, test_mode=True),
    steps.decode,
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CentredThreeCrop', crop_size=224),
    *steps.finish,
]
del steps, sample, jitter
