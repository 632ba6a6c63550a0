"""All of CLIP ViT-B/16 fine-tuned, 8 frames, K400 (https://arxiv.org/abs/2103.00020).

Published: no figure in the sources at hand.
    tools/dist_train.sh configs/petl/full_finetune_vitb16_k400.py 8
"""
_base_ = './linear_probe_vitb16_k400.py'

model = dict(backbone=dict(full_finetune=True))
# The trunk learns at a tenth of the head's rate: ours, not tuned. The longest
# key wins, so that those of the schedule are named, too.
slow = ('backbone', 'class_embedding', 'positional_embedding')
keys = dict.fromkeys(slow, dict(lr_mult=0.1))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=keys))
del slow, keys
