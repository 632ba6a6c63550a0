"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from .hooks import (
    EpochSeedHook,
    NonFiniteLossHook,
    SavePredictionsHook,
    StrictLoadHook,
    TrainedParamsHook,
)
from .optimizers import CPUAmpOptimWrapper, TrainedParamsConstructor
from .seed import seed_worker

__all__ = [
    'CPUAmpOptimWrapper',
    'EpochSeedHook',
    'NonFiniteLossHook',
    'SavePredictionsHook',
    'StrictLoadHook',
    'TrainedParamsConstructor',
    'TrainedParamsHook',
    'seed_worker',
]
