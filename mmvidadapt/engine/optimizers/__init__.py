"""Optimizer wrappers and their constructors."""

from .cpu_amp import CPUAmpOptimWrapper
from .trained_params_constructor import TrainedParamsConstructor

__all__ = ['CPUAmpOptimWrapper', 'TrainedParamsConstructor']
