# AIM as on Something-Something V2: a second adapter over time in every block,
# smoothed labels, random erasing.
_base_ = './aim.py'

model = dict(
    backbone=dict(num_t_adapters=2, adapter_scale=1.0),
    cls_head=dict(label_smooth_eps=0.1),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.25)
    ),
    test_cfg=dict(max_testing_views=2),
)
