"""EVL ViT-B/16, 8 frames, K400, fine-tuned (https://arxiv.org/abs/2208.03550).

Published: no figure.
    tools/dist_train.sh configs/evl/vitb16_k400_finetuned.py 8
"""
_base_ = './vitb16_k400.py'

# The paper's comparison in cost: end-to-end training instead of a frozen CLIP.
model = dict(backbone=dict(full_finetune=True))
