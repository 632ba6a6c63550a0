"""mmaction2's I3D head with scores that its losses and metrics can read."""

from typing import Any, Optional

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmvidadapt.weights.load_hooks import refuse_unfit

from .multi_label import MultiLabelMixin


def check_channels(
    head: nn.Module, x: Tensor, channels: int, vector: bool = False
) -> None:
    """Raise where features are not those that a head was made for.

    Args:
        head (nn.Module): The head.
        x (Tensor): Features ``(B, C, T, H, W)``.
        channels (int): What C has to be.
        vector (bool): Whether T, H and W have to be 1. Defaults to False.

    Raises:
        ValueError: If they are not, with what to set.
    """
    kind = type(head).__name__
    if vector and x[0, 0].numel() != 1:
        raise ValueError(
            f'{kind} reads one vector of a clip, (B, C, 1, 1, 1), and got '
            f"features {tuple(x.shape)}: use type='Float32I3DHead', which "
            'averages them.'
        )
    if x.shape[1] != channels:
        raise ValueError(
            f'{kind} with in_channels={channels} got features of '
            f'{x.shape[1]} channels: set cls_head.in_channels={x.shape[1]}.'
        )


@MODELS.register_module()
class Float32I3DHead(MultiLabelMixin, I3DHead):
    """I3DHead whose scores are always float32.

    Under bf16 autocast mmaction2's ``BaseHead`` and ``AccMetric`` call
    ``.numpy()`` on bf16 scores, which NumPy does not know; and losses belong
    in float32. Arguments, parameters and numbers are those of
    :class:`mmaction.models.heads.I3DHead`: mean over time and space, dropout,
    linear layer. Only where there are several labels to a video
    (``multi_class=True`` or ``BCELossWithLogits``), ``average_clips='prob'``
    averages sigmoids instead of softmax.

    Args:
        num_classes (int): Number of classes.
        in_channels (int, optional): Number of channels C. Defaults to None:
            ``AdaptedRecognizer`` fills it in from the backbone's trunk.
        **head: Passed on to :class:`mmaction.models.heads.I3DHead`.

    Raises:
        ValueError: Without ``in_channels``, and in ``forward`` when the
            features have other channels.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: Optional[int] = None,
        **head: Any,
    ) -> None:
        if in_channels is None:
            raise ValueError(
                'Float32I3DHead needs in_channels, the width of the features: '
                "set it, or use model.type='AdaptedRecognizer' with "
                'backbone.trunk, which fills it in.'
            )
        super().__init__(num_classes, in_channels, **head)
        self.register_load_state_dict_pre_hook(refuse_unfit)

    def init_weights(self) -> None:
        """Draw as mmaction2 does."""
        super().init_weights()
        self.is_init = True

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score features (B, C, T, H, W); return (B, num_classes)."""
        check_channels(self, x, self.in_channels)
        return super().forward(x, **kwargs).float()
