"""BEVT in miniature, stage 1: masked frames of the quick start's clips.

2.5 M parameters; the images are every fourth frame of the training clips (a
clip and its reversal have none in common), the vocabulary is fitted on them:
    python tools/extract_frames.py quickstart/clips/appearance_train.txt         quickstart/bevt_images --every 4
    python tools/fit_tokenizer.py quickstart/bevt_images         --config quickstart/bevt_image --out quickstart/bevt_tokens/centres.pth
    python tools/train.py quickstart/bevt_image         --work-dir quickstart/bevt_image
"""
_base_ = [
    '../_base_/data/quickstart_images.py',
    '../_base_/views/quickstart_masked_image.py',
    '../_base_/models/quickstart_bevt.py',
    '../_base_/schedules/quickstart_bevt_50e.py',
    '../_base_/runtime_quickstart.py',
]

# Windows of one frame: the tables are those of an image Swin.
model = dict(backbone=dict(window_size=(1, 4, 4), streams=('image',)))
train_dataloader = dict(_base_.pop('image_dataloader'), batch_size=16)
train_dataloader['dataset'].pipeline = _base_.image_pipeline

max_epochs = 25
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
warm_up, cosine = _base_.param_scheduler
param_scheduler = [
    dict(warm_up, start_factor=0.01, end=2),
    dict(cosine, T_max=max_epochs - 2, begin=2, end=max_epochs),
]
del warm_up, cosine
default_hooks = dict(checkpoint=dict(interval=5))
