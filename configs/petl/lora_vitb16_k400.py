"""LoRA on CLIP ViT-B/16, 8 frames, K400 (https://arxiv.org/abs/2106.09685).

Published: no figure; the paper has no images.
    tools/dist_train.sh configs/petl/lora_vitb16_k400.py 8
"""
_base_ = './linear_probe_vitb16_k400.py'

# Queries and values, rank and alpha 8: the paper's RoBERTa-base, unverified.
model = dict(
    backbone=dict(type='LoRA', rank=8, alpha=8.0, targets=('q', 'v'))
)
