"""Heads that mmaction2 lacks."""

from .bevt_head import BEVTHead
from .check_head import check_head
from .dualpath_head import DualPathHead
from .evl_head import EVLHead
from .float32_i3d_head import Float32I3DHead
from .vivit_head import ViViTHead

__all__ = [
    'BEVTHead',
    'DualPathHead',
    'EVLHead',
    'Float32I3DHead',
    'ViViTHead',
    'check_head',
]
