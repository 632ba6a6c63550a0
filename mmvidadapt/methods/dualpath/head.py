"""The classifier of DualPath."""

from typing import Any, Optional

import torch
import torch.nn.functional as F
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.heads.float32_i3d_head import check_channels
from mmvidadapt.heads.multi_label import MultiLabelMixin
from mmvidadapt.weights.load_hooks import refuse_unfit


@MODELS.register_module()
class DualPathHead(MultiLabelMixin, BaseHead):
    """Two linear layers with GELU between on the features of both paths.

    The layers start as PyTorch makes them, as in the official code, which
    averages the views before any softmax: ``average_clips='score'``.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Channels of all paths together, 2E for both.
        hidden_channels (int, optional): Channels between the layers.
            Defaults to None: half of ``in_channels``.
        **head: Passed on to :class:`mmaction.models.heads.BaseHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        hidden_channels: Optional[int] = None,
        **head: Any,
    ) -> None:
        super().__init__(num_classes, in_channels, **head)
        hidden = hidden_channels or in_channels // 2
        self.linear1 = nn.Linear(in_channels, hidden)
        self.linear2 = nn.Linear(hidden, num_classes)
        self.register_load_state_dict_pre_hook(refuse_unfit)

    def init_weights(self) -> None:
        """Leave the parameters as they were made."""
        self.is_init = True

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score features (B, 2E, 1, 1, 1); return (B, num_classes)."""
        check_channels(self, x, self.in_channels, vector=True)
        h = F.gelu(self.linear1(x.flatten(1)))  # (B, hidden)
        x = self.linear2(h)  # (B, num_classes)
        # Losses and metrics read no half precision.
        return x.to(torch.promote_types(x.dtype, torch.float32))
