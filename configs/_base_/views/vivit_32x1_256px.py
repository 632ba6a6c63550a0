# ViViT on Something-Something: 32 x 1 frames of 256 px, short side 288
# jittered by 0.9 to 1.33, no flip (there are classes of left and right); 4 x 3
# test views. Of the two operations of RandAugment drawn for a clip, each is
# done half of the time.
_base_ = './steps.py'

steps = _base_.pop('steps')
num_frames = 32
sample = dict(
    type='SpreadSampleFrames', clip_len=num_frames, frame_interval=1
)
train_pipeline = [
    steps.init,
    sample,
    steps.decode,
    dict(type='RandomRescale', scale_range=(259, 383)),
    dict(type='RandomCrop', size=256),
    dict(
        type='ClipRandAugment',
        num_ops=2,
        magnitude=20,
        magnitude_std=0,
        total_level=30,
        policies='non_geometric',
    ),
    *steps.finish,
]
small = [steps.decode, dict(type='Resize', scale=(-1, 288))]
center = dict(type='CenterCrop', crop_size=256)
val_pipeline = [
    steps.init, dict(sample, test_mode=True), *small, center, *steps.finish
]
sample_test = dict(sample, num_clips=4, test_mode=True)
three = dict(type='CentredThreeCrop', crop_size=256)
test_pipeline = [steps.init, sample_test, *small, three, *steps.finish]
del steps, sample, sample_test, small, center, three
