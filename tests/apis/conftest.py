"""Videos that caches are made of."""

from tests.cached import videos

__all__ = ['videos']
