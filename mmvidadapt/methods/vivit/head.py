"""The classifier of ViViT."""

from typing import Any, Optional

import torch
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor

from mmvidadapt.heads.float32_i3d_head import Float32I3DHead, check_channels
from mmvidadapt.heads.multi_label import is_multi_label, to_probabilities
from mmvidadapt.trunks.parts.linear import Linear


@MODELS.register_module()
class ViViTHead(Float32I3DHead):
    """Linear layer, zero at first, whose scores are averaged over views.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Number of channels C.
        representation_size (int, optional): Width of one more linear layer,
            with tanh, before the scores. Defaults to None: there is none.
        average_clips (str, optional): ``'logit'`` averages the scores of the
            views and gives the probabilities of the mean, which ranks the
            classes as the official code does; others as in mmaction2.
            Defaults to ``'logit'``.
        init_std (float): Standard deviation of the linear layer's weights.
            Defaults to 0.0.
        **head: Passed on to :class:`mmaction.models.heads.I3DHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        representation_size: Optional[int] = None,
        average_clips: Optional[str] = 'logit',
        init_std: float = 0.0,
        **head: Any,
    ) -> None:
        super().__init__(
            num_classes,
            representation_size or in_channels,
            average_clips=average_clips,
            init_std=init_std,
            **head,
        )
        self.pre_logits = (
            Linear(in_channels, representation_size)
            if representation_size
            else None
        )

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Score vectors (B, C, 1, 1, 1); return (B, num_classes)."""
        if self.pre_logits is not None:
            check_channels(self, x, self.pre_logits.in_features, vector=True)
            x = torch.tanh(self.pre_logits(x.flatten(1)))  # (B, D)
            x = x[..., None, None, None]
        return super().forward(x, **kwargs)

    def average_clip(self, cls_scores: Tensor, num_segs: int = 1) -> Tensor:
        """Average the views of every video, (B * views, num_classes)."""
        if self.average_clips != 'logit':
            return super().average_clip(cls_scores, num_segs)
        views = rearrange(cls_scores, '(b v) c -> b v c', v=num_segs)
        return to_probabilities(views.mean(dim=1), is_multi_label(self))
