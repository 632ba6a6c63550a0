"""Backbones, one file a method."""

from .aim import AIM
from .aim_swin import AIMSwin
from .evl import EVL
from .vit import ImageViT, ViTTrunk

__all__ = ['AIM', 'AIMSwin', 'EVL', 'ImageViT', 'ViTTrunk']
