"""Data preprocessors that mmaction2 lacks."""

from typing import List, Tuple

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from torch import Tensor

__all__ = ['VideoOrFeaturesPreprocessor']


@MODELS.register_module()
class VideoOrFeaturesPreprocessor(ActionDataPreprocessor):
    """ActionDataPreprocessor that leaves cached features as they are.

    So one data set of a config can be read from a feature cache and another
    from video. The arguments are those of ``ActionDataPreprocessor``.
    """

    def preprocess(
        self, inputs: List[Tensor], data_samples: list, training: bool = False
    ) -> Tuple[Tensor, list]:
        """Stack rows (views, numbers); normalise clips as the parent does."""
        if inputs[0].ndim == 2:
            return torch.stack(inputs), data_samples
        return super().preprocess(inputs, data_samples, training)
