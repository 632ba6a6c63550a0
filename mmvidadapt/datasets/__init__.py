"""Data sets and transforms; importing this registers them."""

from .transforms import *  # noqa: F401,F403
