# ZeroI2V as on Something-Something V2: adapters at full scale without dropout,
# smoothed labels, random erasing.
_base_ = './zeroi2v.py'

model = dict(
    backbone=dict(adapter_scale=1.0, adapter_dropout=0.0),
    cls_head=dict(label_smooth_eps=0.1),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.25)
    ),
    test_cfg=dict(max_testing_views=2),
)
