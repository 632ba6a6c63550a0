"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from . import hooks
from .hooks import *  # noqa: F403
from .local_backend import WholeLocalBackend
from .local_checkpoints import load_safely
from .optimizers import CPUAmpOptimWrapper, TrainedParamsConstructor
from .seed import seed_worker

__all__ = [  # noqa: PLE0604
    *hooks.__all__,
    'CPUAmpOptimWrapper',
    'TrainedParamsConstructor',
    'WholeLocalBackend',
    'load_safely',
    'seed_worker',
]
