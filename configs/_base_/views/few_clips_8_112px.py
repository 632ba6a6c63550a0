# Few clips: 8 frames of the whole video, 112 px. In training a frame out of
# each eighth, at least half of the picture, other colours, drawn once a clip;
# no flip, which is for whoever knows that left and right are alike.
_base_ = './few_clips.py'

steps = _base_.pop('steps')
resize = dict(type='Resize', scale=(112, 112), keep_ratio=False)
train_pipeline = [
    steps.init,
    dict(type='UniformSample', clip_len=8),
    steps.decode,
    steps.crop,
    resize,
    steps.colours,
    *steps.finish,
]
test_pipeline = [
    steps.init,
    dict(type='MidpointUniformSample', clip_len=8, test_mode=True),
    steps.decode,
    resize,
    *steps.finish,
]
val_pipeline = test_pipeline
del steps, resize
