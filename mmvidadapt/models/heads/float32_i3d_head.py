"""mmaction2's I3D head with scores that its losses and metrics can read."""

from typing import Any

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.weights.whole import refuse_unfit


@MODELS.register_module()
class Float32I3DHead(I3DHead):
    """I3DHead whose scores are always float32.

    Under bf16 autocast mmaction2's ``BaseHead`` and ``AccMetric`` call
    ``.numpy()`` on bf16 scores, which NumPy does not know; and losses belong
    in float32. Arguments, parameters and numbers are those of
    :class:`mmaction.models.heads.I3DHead`: mean over time and space, dropout,
    linear layer.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Number of channels C.
        **head: Passed on to :class:`mmaction.models.heads.I3DHead`.
    """

    def __init__(
        self, num_classes: int, in_channels: int, **head: Any
    ) -> None:
        super().__init__(num_classes, in_channels, **head)
        self.register_load_state_dict_pre_hook(refuse_unfit)

    def init_weights(self) -> None:
        """Draw as mmaction2 does."""
        super().init_weights()
        self.is_init = True

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score features (B, C, T, H, W); return (B, num_classes)."""
        return super().forward(x, **kwargs).float()
