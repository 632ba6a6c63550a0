"""Data sets and transforms; importing this registers them."""

from .checked_videos import CheckedVideoDataset  # noqa: F401
from .feature_cache import CachedFeatures  # noqa: F401
from .image_list import ImageListDataset  # noqa: F401
from .tokenized import TokenizedDataset  # noqa: F401
from .transforms import *  # noqa: F401,F403
