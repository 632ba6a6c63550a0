"""Several classifiers on one backbone: verb, noun, action."""

from typing import Any, Dict, List, Optional

from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import ModuleDict
from torch import Tensor, cat

from .float32_i3d_head import Float32I3DHead

Scores = Dict[str, Tensor]
Samples = List[ActionDataSample]


@MODELS.register_module()
class MultiTaskVideoHead(BaseHead):
    """A classifier for each of several tasks; their losses are added up.

    The classifiers of `V-JEPA 2 <https://arxiv.org/abs/2506.09985>`_, section
    6, for EPIC-KITCHENS: an attentive probe has a query for each task, whose
    outputs ``(B, C, Q, 1, 1)`` have a linear layer each. Features of other
    backbones are averaged, and all tasks read the average.

    Tasks are in alphabetical order, for configs do not keep the order of a
    dict. Samples hold ``gt_label`` ``(tasks,)``, -1 where the label of a task
    is not known, which adds nothing to its loss;
    ``CheckedVideoDataset(tasks=...)`` reads such lists. Predictions are
    ``pred_score``, a dict of the scores of each task as mmaction2's heads of
    several pathways give it, and ``pred_label`` ``(tasks,)``;
    ``MultiTaskMetric`` measures them. (mmpretrain's ``MultiTaskHead`` wants
    samples of its own, and reads no video features.)

    Args:
        num_classes (Dict[str, int]): Number of classes of each task.
        in_channels (int, optional): Number of channels C. Defaults to None:
            ``AdaptedRecognizer`` fills it in from the backbone's trunk.
        num_queries (int): Q, that of the backbone's probe: one for each task
            in its order, or 1, which all tasks read. Defaults to 1.
        average_clips (str, optional): How views are averaged, see
            :class:`mmaction.models.heads.BaseHead`. Defaults to 'prob'.
        **head: Passed on to the :class:`Float32I3DHead` of every task:
            ``dropout_ratio``, ``init_std``, ``label_smooth_eps``,
            ``loss_cls``, such as ``dict(type='mmpretrain.FocalLoss')``.

    Raises:
        ValueError: Without tasks, with another number of queries, and in
            ``forward`` when the features are not those of ``num_queries``.
    """

    def __init__(
        self,
        num_classes: Dict[str, int],
        in_channels: Optional[int] = None,
        num_queries: int = 1,
        average_clips: Optional[str] = 'prob',
        **head: Any,
    ) -> None:
        if not isinstance(num_classes, dict) or not num_classes:
            raise ValueError(
                f'num_classes={num_classes}: give a number of classes for '
                'each task, num_classes=dict(verb=97, noun=300).'
            )
        if num_queries not in (1, len(num_classes)):
            raise ValueError(
                f'num_queries={num_queries}: give 1, or one for each of the '
                f'{len(num_classes)} tasks {", ".join(num_classes)}.'
            )
        num_classes = {task: num_classes[task] for task in sorted(num_classes)}
        super().__init__(num_classes, in_channels, average_clips=average_clips)
        self.num_queries = num_queries
        self.heads = ModuleDict(
            {
                task: Float32I3DHead(number, in_channels, **head)
                for task, number in num_classes.items()
            }
        )

    def forward(self, x: Tensor, **kwargs: Any) -> Scores:
        """Score features (B, C, T, H, W) or (B, C); return (B, K) by task."""
        x = x[..., None, None, None] if x.ndim == 2 else x  # mmaction2's
        queries = (self.num_queries, 1, 1)
        if self.num_queries > 1 and x.shape[2:] != queries:
            raise ValueError(
                f'MultiTaskVideoHead with num_queries={self.num_queries} got '
                f'features {tuple(x.shape)}, not (B, C, '
                f'{self.num_queries}, 1, 1): set backbone.pooler.num_queries='
                f'{self.num_queries}, or cls_head.num_queries=1, which '
                'averages the features of any backbone.'
            )
        scores = {}
        for i, (task, head) in enumerate(self.heads.items()):
            read = x[:, :, i : i + 1] if self.num_queries > 1 else x
            scores[task] = head(read, **kwargs)  # (B, K)
        return scores

    def loss_by_feat(self, cls_scores: Scores, data_samples: Samples) -> dict:
        """Compute the loss and the accuracies of every task.

        Args:
            cls_scores (Dict[str, Tensor]): Logits (B, K) of every task.
            data_samples (List[ActionDataSample]): With ``gt_label``.

        Returns:
            dict: ``verb_loss_cls``, ``verb_top1_acc`` and so on.

        Raises:
            ValueError: If a sample has not one label for each task.
        """
        losses = {}
        labels = [self._labels(sample) for sample in data_samples]
        for i, task in enumerate(cls_scores):
            scores = cls_scores[task]
            known = [n for n, label in enumerate(labels) if label[i] >= 0]
            if not known:  # every parameter has a gradient all the same
                losses[f'{task}_loss_cls'] = scores.sum() * 0
                continue
            own = [
                ActionDataSample().set_gt_label(labels[n][i : i + 1])
                for n in known
            ]
            found = self.heads[task].loss_by_feat(scores[known], own)
            losses.update({f'{task}_{k}': v for k, v in found.items()})
        return losses

    def _labels(self, sample: ActionDataSample) -> Tensor:
        """Return the labels of a sample, (tasks,)."""
        label = sample.gt_label
        if len(label) != len(self.heads):
            raise ValueError(
                f'MultiTaskVideoHead got a sample with {len(label)} labels '
                f'for the {len(self.heads)} tasks {", ".join(self.heads)}: '
                f'set tasks={tuple(self.heads)} in the data sets.'
            )
        return label

    def predict_by_feat(
        self, cls_scores: Scores, data_samples: Samples
    ) -> Samples:
        """Average the views of every task, and find the best classes.

        Args:
            cls_scores (Dict[str, Tensor]): Logits (B*views, K) of every task.
            data_samples (List[ActionDataSample]): One for each of B videos.

        Returns:
            List[ActionDataSample]: The same, with predictions.
        """
        views = len(next(iter(cls_scores.values()))) // len(data_samples)
        scores = {
            task: self.average_clip(logits, views)  # (B, K)
            for task, logits in cls_scores.items()
        }
        for i, sample in enumerate(data_samples):
            own = {task: found[i].detach() for task, found in scores.items()}
            best = [found.argmax(-1, keepdim=True) for found in own.values()]
            sample.set_pred_score(own)
            sample.set_pred_label(cat(best, dim=-1))
        return data_samples
