"""V-JEPA 2 ViT-L/16, linear probe, SSv2 (https://arxiv.org/abs/2506.09985).

Published: none.
    tools/dist_train.sh configs/vjepa2/vitl16_16f_ssv2_linear.py 8
"""
_base_ = './vitl16_16f_ssv2.py'

# In place of the probe: the mean of all tokens.
model = dict(backbone=dict(out_type='avg_featmap'))
