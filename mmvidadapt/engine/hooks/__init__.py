"""Hooks: one job each."""

from .epoch_seed import EpochSeedHook
from .nonfinite_loss import NonFiniteLossHook
from .save_predictions import SavePredictionsHook
from .strict_load import StrictLoadHook
from .trained_params import TrainedParamsHook

__all__ = [
    'EpochSeedHook',
    'NonFiniteLossHook',
    'SavePredictionsHook',
    'StrictLoadHook',
    'TrainedParamsHook',
]
