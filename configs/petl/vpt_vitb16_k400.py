"""VPT-Deep ViT-B/16, 8 frames, Kinetics-400 (https://arxiv.org/abs/2203.12119).

Published: no figure in the sources at hand.
    tools/dist_train.sh configs/petl/vpt_vitb16_k400.py 8
"""
_base_ = './linear_probe_vitb16_k400.py'

# The paper searches 1 to 200 prompts for each data set; 50 was not searched.
model = dict(backbone=dict(type='VPT', num_prompts=50))
