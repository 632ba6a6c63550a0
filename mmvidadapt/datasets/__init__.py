"""Data sets and transforms; importing this registers them."""

from .feature_cache import CachedFeatures  # noqa: F401
from .transforms import *  # noqa: F401,F403
