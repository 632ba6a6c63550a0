# Diving-48.
_base_ = './videos.py'

num_classes = 48
data_root = 'data/diving48/videos'
data_root_val = data_root
ann_file_train = 'data/diving48/diving48_train_list_videos.txt'
ann_file_val = 'data/diving48/diving48_val_list_videos.txt'
held_out = dict(ann_file=ann_file_val, data_prefix=dict(video=data_root_val))

train_dataloader = dict(
    dataset=dict(ann_file=ann_file_train, data_prefix=dict(video=data_root))
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out
