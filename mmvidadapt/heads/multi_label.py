"""Probabilities of several labels to a video."""

import torch
from mmaction.models.losses import BCELossWithLogits
from torch import Tensor, nn


def is_multi_label(head: nn.Module) -> bool:
    """Check whether a head judges every class by itself.

    mmaction2 marks that by ``multi_class=True``, or by the loss alone.

    Args:
        head (nn.Module): The head of a recognizer.

    Returns:
        bool: Whether several classes may be right at once.
    """
    loss = getattr(head, 'loss_cls', None)
    return bool(
        getattr(head, 'multi_class', False)
        or isinstance(loss, BCELossWithLogits)
    )


def to_probabilities(scores: Tensor, multi_label: bool) -> Tensor:
    """Turn scores into probabilities of classes.

    Args:
        scores (Tensor): Logits, (..., num_classes).
        multi_label (bool): Whether each class has a probability of its own,
            instead of one that it takes from the others.

    Returns:
        Tensor: As many numbers from 0 to 1.
    """
    return torch.sigmoid(scores) if multi_label else scores.softmax(dim=-1)


class MultiLabelMixin:
    """Average the sigmoids of the views where there are several labels.

    mmaction2's heads average their softmax, whatever the loss. To be placed
    before a head of mmaction2 in the list of bases.
    """

    def average_clip(self, cls_scores: Tensor, num_segs: int = 1) -> Tensor:
        """Average the views of every video, (B * views, num_classes)."""
        if self.average_clips == 'prob' and is_multi_label(self):
            views = cls_scores.unflatten(0, (-1, num_segs))
            return to_probabilities(views, True).mean(dim=1)
        return super().average_clip(cls_scores, num_segs)
