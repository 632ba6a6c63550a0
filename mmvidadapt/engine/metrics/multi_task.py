"""Accuracies of several tasks: verb, noun, action."""

from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np
from mmaction.evaluation import top_k_accuracy
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric


@METRICS.register_module()
class MultiTaskMetric(BaseMetric):
    """Top-k accuracy and class-mean top-k recall of every task.

    For what :class:`~mmvidadapt.heads.multi_task.MultiTaskVideoHead` predicts:
    ``acc/verb_top1``, ``acc/verb_mean1`` and so on. ``mean1`` is the mean
    accuracy of the classes, ``mean5`` the class-mean top-5 recall of
    EPIC-KITCHENS-100 (`Rescaling Egocentric Vision
    <https://arxiv.org/abs/2006.13256>`_), over the classes that there are
    clips of. (mmaction2's ``mean1`` counts classes without clips, but with
    predictions, as 0.) Clips whose label of a task is -1 are left out there.

    Args:
        topk (int | Sequence[int]): The numbers k. Defaults to (1, 5).
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`.
            Defaults to 'cpu'.
        prefix (str, optional): In the place of ``acc``. Defaults to None.
    """

    default_prefix = 'acc'

    def __init__(
        self,
        topk: Union[int, Sequence[int]] = (1, 5),
        collect_device: str = 'cpu',
        prefix: Optional[str] = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch.

        Args:
            data_batch (Any): Unused.
            data_samples (Sequence[dict]): Samples with predictions.

        Raises:
            ValueError: If the scores are not those of several tasks.
        """
        for sample in data_samples:
            scores, labels = sample['pred_score'], sample['gt_label']
            if not isinstance(scores, dict) or len(scores) != len(labels):
                raise ValueError(
                    'MultiTaskMetric measures the predictions of several '
                    f'tasks, and got {type(scores).__name__} for '
                    f'{len(labels)} labels: use '
                    "cls_head.type='MultiTaskVideoHead' with data sets of the "
                    'same tasks, or AccMetric.'
                )
            own = {task: s.float().cpu().numpy() for task, s in scores.items()}
            self.results.append((own, labels.tolist()))

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Compute the metrics of all clips.

        Args:
            results (List[tuple]): Scores of every task, and labels.

        Returns:
            Dict[str, float]: Accuracies and recalls by their names.
        """
        found = {}
        for i, task in enumerate(results[0][0]):
            known = [(s[task], label[i]) for s, label in results]
            known = [(s, label) for s, label in known if label >= 0]
            if not known:
                continue
            scores, labels = map(np.array, zip(*known))  # (N, K), (N,)
            tops = top_k_accuracy(list(scores), labels, self.topk)
            for k, top in zip(self.topk, tops):
                found[f'{task}_top{k}'] = float(top)
                found[f'{task}_mean{k}'] = class_mean_recall(scores, labels, k)
        return found


def class_mean_recall(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Average over classes how often they are among the k best.

    Args:
        scores (np.ndarray): Of all classes, ``(N, K)``.
        labels (np.ndarray): ``(N,)``.
        k (int): How many classes are named for each clip.

    Returns:
        float: The mean of the recalls of all classes in ``labels``.
    """
    best = np.argsort(scores, axis=1)[:, -k:]  # (N, k)
    hit = (best == labels[:, None]).any(axis=1)  # (N,)
    return float(np.mean([hit[labels == c].mean() for c in np.unique(labels)]))
