# adamw_45e.py for GPUs that hold 8 clips: 8 GPUs x 8 clips x 4 accumulated
# steps are the batch of 256.
_base_ = './adamw_45e.py'

optim_wrapper = dict(accumulative_counts=4)
auto_scale_lr = dict(base_batch_size=64)
