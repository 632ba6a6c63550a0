"""Backbones, one file a method."""

from .aim import AIM
from .aim_swin import AIMSwin
from .vit import ImageViT, ViTTrunk

__all__ = ['AIM', 'AIMSwin', 'ImageViT', 'ViTTrunk']
