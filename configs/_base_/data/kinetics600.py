# Kinetics-600.
_base_ = './videos.py'

num_classes = 600
data_root = 'data/kinetics600/videos_train'
data_root_val = 'data/kinetics600/videos_val'
ann_file_train = 'data/kinetics600/kinetics600_train_list_videos.txt'
ann_file_val = 'data/kinetics600/kinetics600_val_list_videos.txt'
held_out = dict(ann_file=ann_file_val, data_prefix=dict(video=data_root_val))

train_dataloader = dict(
    dataset=dict(ann_file=ann_file_train, data_prefix=dict(video=data_root))
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out
