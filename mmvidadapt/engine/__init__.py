"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from typing import TYPE_CHECKING

from mmvidadapt.utils.registration import lazy_attributes

if TYPE_CHECKING:
    from .hooks import *  # noqa: F403
    from .local_backend import WholeLocalBackend  # noqa: F401
    from .local_checkpoints import load_safely  # noqa: F401
    from .optimizers import *  # noqa: F403
    from .seed import seed_worker  # noqa: F401

__getattr__ = lazy_attributes(
    __name__,
    'mmaction.engine',
    f'{__name__}.local_backend',
    f'{__name__}.local_checkpoints',
)
