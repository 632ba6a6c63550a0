# The same clips, six appearances.
_base_ = './quickstart_motion.py'

num_classes = 6
train_dataloader = dict(
    dataset=dict(ann_file=_base_.data_root + 'appearance_train.txt')
)
val_dataloader = dict(
    dataset=dict(ann_file=_base_.data_root + 'appearance_val.txt')
)
test_dataloader = val_dataloader
