"""Backbones, one file a method."""

from .adaptformer import AdaptFormer
from .aim import AIM
from .aim_swin import AIMSwin
from .bevt_swin import BEVTSwin
from .bevt_timesformer import BEVTTimeSformer
from .bevt_video_swin import BEVTVideoSwin
from .dualpath import DualPath
from .evl import EVL
from .lora import LoRA
from .st_adapter import STAdapter
from .vit import ImageViT, ViTTrunk
from .vivit import (
    ViViT,
    ViViTFactorisedDotProduct,
    ViViTFactorisedEncoder,
    ViViTFactorisedSelfAttention,
)
from .vpt import VPT

__all__ = [
    'AdaptFormer',
    'AIM',
    'AIMSwin',
    'BEVTSwin',
    'BEVTTimeSformer',
    'BEVTVideoSwin',
    'DualPath',
    'EVL',
    'ImageViT',
    'LoRA',
    'STAdapter',
    'ViTTrunk',
    'ViViT',
    'ViViTFactorisedDotProduct',
    'ViViTFactorisedEncoder',
    'ViViTFactorisedSelfAttention',
    'VPT',
]
