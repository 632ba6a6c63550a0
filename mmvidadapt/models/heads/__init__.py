"""Heads that mmaction2 lacks."""

from .float32_i3d_head import Float32I3DHead

__all__ = ['Float32I3DHead']
