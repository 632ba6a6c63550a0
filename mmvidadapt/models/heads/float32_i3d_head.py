"""mmaction2's I3D head with scores that its losses and metrics can read."""

from typing import Any

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class Float32I3DHead(I3DHead):
    """I3DHead whose scores are always float32.

    Under bf16 autocast mmaction2's ``BaseHead`` and ``AccMetric`` call
    ``.numpy()`` on bf16 scores, which NumPy does not know; and losses belong
    in float32. Arguments, parameters and numbers are those of
    :class:`mmaction.models.heads.I3DHead`: mean over time and space, dropout,
    linear layer.
    """

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score features (B, C, T, H, W); return (B, num_classes)."""
        return super().forward(x, **kwargs).float()
