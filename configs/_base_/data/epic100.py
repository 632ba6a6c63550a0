# EPIC-KITCHENS-100, clips cut out by its narrations: a verb, a noun and an
# action, which is a pair of both that there is in training or validation.
_base_ = './videos.py'

num_classes = dict(verb=97, noun=300, action=3806)
data_root = 'data/epic100/videos'
data_root_val = data_root
ann_file_train = 'data/epic100/epic100_train_list_videos.txt'
ann_file_val = 'data/epic100/epic100_val_list_videos.txt'
tasks = tuple(num_classes)
held_out = dict(
    ann_file=ann_file_val,
    data_prefix=dict(video=data_root_val),
    tasks=tasks,
)

train_dataloader = dict(
    dataset=dict(
        ann_file=ann_file_train,
        data_prefix=dict(video=data_root),
        tasks=tasks,
    )
)
val_dataloader = dict(dataset=held_out)
test_dataloader = dict(dataset=held_out)
del held_out, tasks

val_evaluator = dict(_delete_=True, type='MultiTaskMetric')
test_evaluator = val_evaluator
