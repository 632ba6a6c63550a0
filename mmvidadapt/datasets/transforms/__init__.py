"""Transforms that mmaction2 lacks, or has otherwise than the recipes."""

from .pca_lighting import PCALighting
from .random_erasing import VideoRandomErasing
from .sampling import MidpointSampleFrames, MidpointUniformSample

__all__ = [
    'MidpointSampleFrames',
    'MidpointUniformSample',
    'PCALighting',
    'VideoRandomErasing',
]
