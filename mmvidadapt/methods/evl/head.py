"""The classifier of EVL."""

from typing import Any

from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.heads.float32_i3d_head import Float32I3DHead, check_channels


@MODELS.register_module()
class EVLHead(Float32I3DHead):
    """Layer norm, dropout and linear layer on one video token.

    mmaction2's heads have no norm before their dropout. The linear layer
    starts as PyTorch makes it, as in the official code.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Number of channels C.
        **head: Passed on to :class:`mmaction.models.heads.I3DHead`.

    Raises:
        ValueError: In ``forward`` when the tokens have other channels.
    """

    def __init__(
        self, num_classes: int, in_channels: int, **head: Any
    ) -> None:
        super().__init__(num_classes, in_channels, **head)
        self.norm = nn.LayerNorm(in_channels)

    def init_weights(self) -> None:
        """Leave the parameters as they were made."""
        self.is_init = True

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score tokens (B, C, 1, 1, 1); return (B, num_classes)."""
        check_channels(self, x, self.in_channels, vector=True)
        x = self.norm(x.flatten(1))  # (B, C)
        return super().forward(x[..., None, None, None], **kwargs)
