"""Hooks, optimizer wrappers and seeding that mmaction2 and mmengine lack."""

from .hooks import (
    AdapterCheckpointHook,
    BadVideosHook,
    CpuProductsHook,
    EpochSeedHook,
    InterruptHook,
    ManifestHook,
    NameCrashHook,
    NonFiniteLossHook,
    ResumeHook,
    SavePredictionsHook,
    StrictLoadHook,
    TrainedParamsHook,
    WholeCheckpointHook,
)
from .local_backend import WholeLocalBackend
from .local_checkpoints import load_safely
from .optimizers import CPUAmpOptimWrapper, TrainedParamsConstructor
from .seed import seed_worker

__all__ = [
    'AdapterCheckpointHook',
    'BadVideosHook',
    'CPUAmpOptimWrapper',
    'CpuProductsHook',
    'EpochSeedHook',
    'InterruptHook',
    'ManifestHook',
    'NameCrashHook',
    'NonFiniteLossHook',
    'ResumeHook',
    'SavePredictionsHook',
    'StrictLoadHook',
    'TrainedParamsConstructor',
    'TrainedParamsHook',
    'WholeCheckpointHook',
    'WholeLocalBackend',
    'load_safely',
    'seed_worker',
]
