# Every fourth frame of the quick start's clips, without labels.
image_root = '{{$QUICKSTART:quickstart}}/bevt_images/'

# No worker processes: on two cores the two trainers need both.
image_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ImageListDataset',
        ann_file=image_root + 'images.txt',
        data_prefix=dict(img=image_root),
    ),
)
