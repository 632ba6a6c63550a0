# A few hundred videos of one's own, in lists as prepare_data.py and fit.py
# write them.
_base_ = './videos.py'

data_root = 'data/own'
num_classes = 10
prefix = dict(video=data_root)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    dataset=dict(ann_file='data/own/train.txt', data_prefix=prefix),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(ann_file='data/own/val.txt', data_prefix=prefix),
)
test_dataloader = val_dataloader
del prefix
