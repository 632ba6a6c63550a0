"""Transforms that mmaction2 lacks, or has otherwise than the recipes."""

from mmvidadapt.utils.registration import lazy_attributes

from .clip_rand_augment import ClipRandAugment
from .frame_order import ReverseFrames, ShuffleFrames
from .freeze_frame import FreezeFrame, RepeatFrame
from .midpoint_sampling import MidpointSampleFrames, MidpointUniformSample
from .random_erasing import VideoRandomErasing
from .spread_sampling import SpreadSampleFrames
from .video_decode import VideoDecode, VideoInit

__all__ = [
    'ClipRandAugment',
    'FreezeFrame',
    'MidpointSampleFrames',
    'MidpointUniformSample',
    'RepeatFrame',
    'ReverseFrames',
    'ShuffleFrames',
    'SpreadSampleFrames',
    'VideoDecode',
    'VideoInit',
    'VideoRandomErasing',
]

# Those that one method needs lie in its room.
__getattr__ = lazy_attributes(__name__, 'mmaction.datasets')
