"""Data sets and transforms, imported on demand; registered with the host."""

from typing import TYPE_CHECKING

from mmvidadapt.utils.registration import lazy_attributes

if TYPE_CHECKING:
    from .checked_videos import CheckedVideoDataset  # noqa: F401
    from .feature_cache import CachedFeatures  # noqa: F401
    from .image_list import ImageListDataset  # noqa: F401
    from .tokenized import TokenizedDataset  # noqa: F401
    from .transforms import *  # noqa: F403

__getattr__ = lazy_attributes(__name__, 'mmaction.datasets')
