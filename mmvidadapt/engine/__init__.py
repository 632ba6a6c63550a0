"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from typing import TYPE_CHECKING

from mmvidadapt.utils.registration import lazy_attributes

if TYPE_CHECKING:
    from .checkpoints import load_safely  # noqa: F401
    from .hooks import *  # noqa: F403
    from .optimizers import *  # noqa: F403
    from .seed import seed_worker  # noqa: F401

__getattr__ = lazy_attributes(
    __name__,
    'mmaction.engine',
    f'{__name__}.checkpoints',
)
