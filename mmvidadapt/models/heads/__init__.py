"""Heads that mmaction2 lacks."""

from .evl_head import EVLHead
from .float32_i3d_head import Float32I3DHead

__all__ = ['EVLHead', 'Float32I3DHead']
