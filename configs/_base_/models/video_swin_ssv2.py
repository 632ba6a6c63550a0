# Video Swin-B as on Something-Something V2: windows of 16 frames (the tables
# of 8 are interpolated), smoothed labels, random erasing.
_base_ = './video_swin.py'

model = dict(
    backbone=dict(window_size=(16, 7, 7), drop_path_rate=0.4),
    cls_head=dict(label_smooth_eps=0.1),
    data_preprocessor=dict(
        blending=dict(type='VideoRandomErasing', prob=0.25)
    ),
    test_cfg=dict(max_testing_views=3),
)
