# Side4Video on CLIP's ViT-B/16; batch norms of one GPU, as released.
_base_ = './image_vit.py'

model = dict(
    backbone=dict(type='Side4Video', side_dims=320, sync_bn=False),
    cls_head=dict(label_smooth_eps=0.1),
)
