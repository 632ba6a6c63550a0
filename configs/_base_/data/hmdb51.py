# HMDB51, split 1.
_base_ = './videos.py'

num_classes = 51
data_root = 'data/hmdb51/videos'
data_root_val = data_root
ann_file_train = 'data/hmdb51/hmdb51_train_split_1_videos.txt'
ann_file_val = 'data/hmdb51/hmdb51_val_split_1_videos.txt'
held_out = dict(ann_file=ann_file_val, data_prefix=dict(video=data_root_val))

train_dataloader = dict(
    dataset=dict(ann_file=ann_file_train, data_prefix=dict(video=data_root))
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out
