"""Hooks: one job each."""

from .adapter_checkpoint import AdapterCheckpointHook
from .bad_videos import BadVideosHook
from .cpu_products import CpuProductsHook
from .epoch_seed import EpochSeedHook
from .interrupt import InterruptHook
from .manifest import ManifestHook
from .name_crash import NameCrashHook
from .nonfinite_loss import NonFiniteLossHook
from .probe_sweep import ProbeSweepHook
from .resume import ResumeHook
from .save_predictions import SavePredictionsHook
from .strict_load import StrictLoadHook
from .trained_params import TrainedParamsHook
from .whole_checkpoint import WholeCheckpointHook

__all__ = [
    'AdapterCheckpointHook',
    'BadVideosHook',
    'CpuProductsHook',
    'EpochSeedHook',
    'InterruptHook',
    'ManifestHook',
    'NameCrashHook',
    'NonFiniteLossHook',
    'ProbeSweepHook',
    'ResumeHook',
    'SavePredictionsHook',
    'StrictLoadHook',
    'TrainedParamsHook',
    'WholeCheckpointHook',
]
