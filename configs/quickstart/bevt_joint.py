"""BEVT in miniature, stage 2: masked clips and frames together.

It starts where stage 1 has ended, with the images that bevt_image.py names.
    python tools/train.py quickstart/bevt_joint         --work-dir quickstart/bevt_joint
"""
_base_ = [
    '../_base_/data/quickstart_images.py',
    '../_base_/views/quickstart_masked_clip.py',
    '../_base_/views/quickstart_masked_image.py',
    '../_base_/models/quickstart_bevt.py',
    '../_base_/schedules/quickstart_bevt_50e.py',
    '../_base_/runtime_quickstart.py',
]

data_root = '{{$QUICKSTART:quickstart}}/clips/'
model = dict(
    backbone=dict(
        window_size=(4, 4, 4),
        pretrained='{{$QUICKSTART:quickstart}}/bevt_image/epoch_25.pth',
    ),
)
# No worker processes: on two cores the two trainers need both.
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset',
        ann_file=data_root + 'motion_train.txt',
        data_prefix=dict(video=data_root),
        pipeline=_base_.video_pipeline,
    ),
)
_base_.image_dataloader.dataset.pipeline = _base_.image_pipeline
train_cfg = dict(
    type='MultiLoaderEpochBasedTrainLoop',
    other_loaders=[_base_.image_dataloader],
)
default_hooks = dict(logger=dict(interval=15))
