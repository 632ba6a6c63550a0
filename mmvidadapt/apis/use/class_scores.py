"""Turn what a recognizer predicts into the probabilities of its classes."""

from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from mmaction.structures import ActionDataSample
from torch import Tensor, cat, nn

from mmvidadapt.heads.multi_label import is_multi_label, to_probabilities

from .class_names import described_datasets
from .other_class import OtherClass


def has_several_labels(model: nn.Module) -> bool:
    """Check whether several classes of a recognizer may be right at once.

    Its head says so, or a data set of its config (``multi_class=True``).

    Args:
        model (nn.Module): The recognizer, with its config as ``cfg``.

    Returns:
        bool: Whether every class has a probability of its own.
    """
    return is_multi_label(model.cls_head) or any(
        described.get('multi_class')
        for described in described_datasets(model.cfg)
    )


def tasks_of(model: nn.Module) -> Optional[Dict[str, int]]:
    """Return the number of classes of each task, None if there is one.

    Args:
        model (nn.Module): The recognizer.

    Returns:
        Dict[str, int] | None: Of :class:`MultiTaskVideoHead`, say.
    """
    number = getattr(model.cls_head, 'num_classes', None)
    return dict(number) if isinstance(number, dict) else None


@contextmanager
def raw_scores(model: nn.Module) -> Iterator[None]:
    """Return the logits of every view of a multi-label recognizer.

    mmaction2's heads know softmax only, which cannot be undone. Recognizers
    of one label are left as they are.

    Args:
        model (nn.Module): The recognizer.
    """
    head = model.cls_head
    if not has_several_labels(model) or not hasattr(head, 'average_clips'):
        yield
        return
    usual, head.average_clips = head.average_clips, None
    try:
        yield
    finally:
        head.average_clips = usual


def class_probabilities(model: nn.Module, result: ActionDataSample) -> Tensor:
    """Compute a probability for every class.

    Args:
        model (nn.Module): The recognizer.
        result (ActionDataSample): What it predicted in :func:`raw_scores`.

    Returns:
        Tensor: (num_classes,), float32, on the CPU. They add up to 1, unless
        a video has several labels; where there are several tasks, those of
        each do, one task behind the other.
    """
    scores = result.pred_score
    if isinstance(scores, dict):
        return cat([_probabilities(model, s) for s in scores.values()])
    return _probabilities(model, scores)


def _probabilities(model: nn.Module, scores: Tensor) -> Tensor:
    """Turn what a head gives into probabilities."""
    scores = scores.float().cpu()
    average = getattr(model.cls_head, 'average_clips', 'prob')
    several = has_several_labels(model)
    if average in ('prob', 'logit') and not several:
        return scores  # the head has done it
    views = scores.reshape(-1, scores.shape[-1])
    if average in ('score', 'logit'):
        return to_probabilities(views.mean(dim=0), several)
    return to_probabilities(views, several).mean(dim=0)


def best_classes(
    scores: Tensor,
    names: Optional[Sequence[str]],
    topk: int,
    tasks: Optional[Dict[str, int]] = None,
    other: Optional[OtherClass] = None,
) -> List[Tuple[str, float]]:
    """Name the classes with the highest scores.

    Args:
        scores (Tensor): (num_classes,).
        names (Sequence[str], optional): Names of the classes; without them
            their numbers are given.
        topk (int): How many classes to name, of every task.
        tasks (Dict[str, int], optional): Number of classes of each task,
            where there are several. Defaults to None.
        other (OtherClass, optional): The class that is named where no other
            has its threshold. Defaults to None.

    Returns:
        List[Tuple[str, float]]: (class, score), best first, one task behind
        the other.
    """
    sizes = {'': len(scores)} if tasks is None else tasks
    if not names:
        names = [
            f'{task}: {i}' if task else str(i)
            for task, size in sizes.items()
            for i in range(size)
        ]
    best, start = [], 0
    for part in scores.split([*sizes.values()]):
        ids = part.topk(min(topk, len(part))).indices.tolist()
        if other is not None:
            ids = other.order(part.numpy())[:topk]
        best += [(names[start + i], part[i].item()) for i in ids]
        start += len(part)
    return best
