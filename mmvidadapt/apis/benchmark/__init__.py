"""Measure time and memory, models and pipelines side by side.

Compare training steps (``compare`` of ``compared_models``, each a ``step``),
input pipelines (``loader``), and training from a feature cache with training
from video (``cached_features``).
"""
