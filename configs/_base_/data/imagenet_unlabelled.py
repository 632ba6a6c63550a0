# ImageNet-1K without its labels. The repeated list is longer than that of the
# videos, so that an epoch of both ends with the videos.
image_dataset = dict(
    type='ImageListDataset',
    ann_file='data/imagenet/ILSVRC2012_name_train_list.txt',
    data_prefix=dict(img='data/imagenet/train'),
)
image_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='RepeatDataset', times=5, dataset=image_dataset),
)
