# Kinetics-400.
_base_ = './videos.py'

num_classes = 400
data_root = 'data/kinetics400/videos_train'
data_root_val = 'data/kinetics400/videos_val'
ann_file_train = 'data/kinetics400/kinetics400_train_list_videos.txt'
ann_file_val = 'data/kinetics400/kinetics400_val_list_videos.txt'
held_out = dict(ann_file=ann_file_val, data_prefix=dict(video=data_root_val))

train_dataloader = dict(
    dataset=dict(ann_file=ann_file_train, data_prefix=dict(video=data_root))
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out
