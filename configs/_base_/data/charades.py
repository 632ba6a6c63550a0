# Charades, any number of labels for a video of half a minute.
_base_ = './videos.py'

num_classes = 157
data_root = 'data/charades/videos'
data_root_val = data_root
ann_file_train = 'data/charades/charades_train_list_videos.txt'
ann_file_val = 'data/charades/charades_val_list_videos.txt'
several = dict(multi_class=True, num_classes=num_classes)
held_out = dict(
    ann_file=ann_file_val, data_prefix=dict(video=data_root_val), **several
)

train_dataloader = dict(
    dataset=dict(
        ann_file=ann_file_train, data_prefix=dict(video=data_root), **several
    )
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out, several

val_evaluator = dict(metric_list='mean_average_precision')
test_evaluator = val_evaluator
