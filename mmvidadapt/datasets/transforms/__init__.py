"""Transforms that mmaction2 lacks, or has otherwise than the recipes."""

from .clip_rand_augment import ClipRandAugment
from .evl_sampling import ExactSpanSampleFrames
from .frame_order import ReverseFrames, ShuffleFrames
from .named_decord import NamedDecordDecode, NamedDecordInit
from .pca_lighting import PCALighting
from .random_erasing import VideoRandomErasing
from .sampling import MidpointSampleFrames, MidpointUniformSample

__all__ = [
    'ClipRandAugment',
    'ExactSpanSampleFrames',
    'MidpointSampleFrames',
    'MidpointUniformSample',
    'NamedDecordDecode',
    'NamedDecordInit',
    'PCALighting',
    'ReverseFrames',
    'ShuffleFrames',
    'VideoRandomErasing',
]
