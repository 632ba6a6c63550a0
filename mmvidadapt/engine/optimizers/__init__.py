"""Optimizer wrappers and their constructors."""

from .cpu_amp import CPUAmpOptimWrapper
from .layer_decay import LayerDecayConstructor
from .sweep_constructor import SweepOptimConstructor
from .trained_params_constructor import TrainedParamsConstructor

__all__ = [
    'CPUAmpOptimWrapper',
    'LayerDecayConstructor',
    'SweepOptimConstructor',
    'TrainedParamsConstructor',
]
