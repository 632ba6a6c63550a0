"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from .hooks import (
    AdapterCheckpointHook,
    BadVideosHook,
    CpuProductsHook,
    EpochSeedHook,
    ManifestHook,
    NameCrashHook,
    NonFiniteLossHook,
    SavePredictionsHook,
    StrictLoadHook,
    TrainedParamsHook,
)
from .local_checkpoints import load_safely
from .optimizers import CPUAmpOptimWrapper, TrainedParamsConstructor
from .seed import seed_worker

__all__ = [
    'AdapterCheckpointHook',
    'BadVideosHook',
    'CPUAmpOptimWrapper',
    'CpuProductsHook',
    'EpochSeedHook',
    'ManifestHook',
    'NameCrashHook',
    'NonFiniteLossHook',
    'SavePredictionsHook',
    'StrictLoadHook',
    'TrainedParamsConstructor',
    'TrainedParamsHook',
    'load_safely',
    'seed_worker',
]
