"""Transforms that mmaction2 lacks, or has otherwise than the recipes."""

from .centred_crops import CentredThreeCrop
from .clip_rand_augment import ClipRandAugment
from .dualpath_sampling import RandomStrideSampleFrames
from .evl_sampling import ExactSpanSampleFrames
from .frame_order import ReverseFrames, ShuffleFrames
from .framesets import BuildFramesets
from .freeze import FreezeFrame, RepeatFrame
from .pca_lighting import PCALighting
from .random_erasing import VideoRandomErasing
from .sampling import MidpointSampleFrames, MidpointUniformSample
from .spread_sampling import SpreadSampleFrames
from .stepped_crops import SteppedCrops
from .token_masks import BlockMask, TubeMask
from .tokenizer_view import TokenizerView
from .video import (
    NamedDecordDecode,
    NamedDecordInit,
    VideoDecode,
    VideoInit,
)

__all__ = [
    'BlockMask',
    'BuildFramesets',
    'CentredThreeCrop',
    'ClipRandAugment',
    'ExactSpanSampleFrames',
    'FreezeFrame',
    'MidpointSampleFrames',
    'MidpointUniformSample',
    'NamedDecordDecode',
    'NamedDecordInit',
    'PCALighting',
    'RandomStrideSampleFrames',
    'RepeatFrame',
    'ReverseFrames',
    'ShuffleFrames',
    'SpreadSampleFrames',
    'SteppedCrops',
    'TokenizerView',
    'TubeMask',
    'VideoDecode',
    'VideoInit',
    'VideoRandomErasing',
]
