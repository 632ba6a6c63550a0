"""Fit head, data sets and metric of a recipe to the labels of own videos."""

import math
from typing import Any, Dict, List, Optional

from mmengine.config import Config, ConfigDict

from mmvidadapt.datasets.prepare.own_videos import OwnData
from mmvidadapt.datasets.prepare.split_clips import count_labels
from mmvidadapt.datasets.prepare.video_folders import SPLITS

# What a head of a recipe and the heads of several tasks both know.
KEPT = ('in_channels', 'dropout_ratio', 'init_std', 'label_smooth_eps')
OTHER = 'other'
TOP = 5  # the other rank that is measured, where there are more classes


def use_labels(cfg: Config, data: OwnData) -> None:
    """Set classes, loss, data sets and metric.

    One label: the recipe's loss and accuracies. Any number of labels: binary
    cross entropy and mean average precision. Tasks: a classifier for each,
    which has a query of its own where the recipe is an attentive probe.

    Args:
        cfg (Config): A recipe; it is changed.
        data (OwnData): The videos.
    """
    head = cfg.model.cls_head
    options: Dict[str, Any] = {}
    sizes = [len(data.classes)]
    if data.tasks:
        tasks = {task: len(data.of_task(task)) for task in data.tasks}
        sizes, options = [*tasks.values()], dict(tasks=tuple(tasks))
        _use_tasks(cfg, tasks)
    else:
        head.num_classes = sizes[0]
    if data.several:
        options = dict(multi_class=True, num_classes=sizes[0])
        head.update(multi_class=True, loss_cls=dict(type='BCELossWithLogits'))
        head.pop('label_smooth_eps', None)
    for split in SPLITS:
        cfg[f'{split}_dataloader'].dataset.update(options)
    metric = _metric(data, max(sizes))
    cfg.val_evaluator = cfg.test_evaluator = metric


def other_name(data: OwnData, said: Optional[str] = None) -> str:
    """Return the class that stands for everything else, if there is one.

    Args:
        data (OwnData): The videos.
        said (str, optional): Its name, '' for none. Defaults to None: a class
            that is called `other`.

    Returns:
        str: Its name; '' where there is none.

    Raises:
        ValueError: If there is no such class, or clips have no single label.
    """
    single = not (data.several or data.tasks)
    if said is None:
        named = [name for name in data.classes if name.lower() == OTHER]
        return named[0] if single and named else ''
    if said and not (single and said in data.classes):
        raise ValueError(
            f"--other '{said}' is none of the classes "
            f'{", ".join(data.classes[:5])}, or clips have several labels.'
        )
    return said


def use_other(cfg: Config, name: str, rate: float) -> None:
    """Choose a threshold for a class `other` in every validation.

    Args:
        cfg (Config): A config for own videos; it is changed.
        name (str): Name of the class.
        rate (float): Share of its clips that may be taken for another class.
    """
    metric = dict(type='OtherClassMetric', other=name)
    chosen = dict(metric, false_alarm_rate=rate)
    cfg.val_evaluator = [cfg.val_evaluator, chosen]
    cfg.test_evaluator = [cfg.test_evaluator, dict(metric, choose=False)]


def explain_other(data: OwnData, name: str, rate: float) -> List[str]:
    """Explain what is done with a class `other`, and how sure that is.

    Args:
        data (OwnData): The videos.
        name (str): Name of the class, '' where there is none.
        rate (float): See :func:`use_other`.

    Returns:
        List[str]: A sentence, or none.
    """
    if not name:
        return []
    number = count_labels(data.splits['val'] or data.splits['test'])[name]
    need = math.ceil(1 / rate) if rate else number
    few = f' With {need} or more it would mean something.'
    return [
        f"'{name}' is named where no class has a threshold, chosen in "
        f'validation on {number} clips of it so that at most '
        f'{100 * rate:g} % are taken for a class (--other, '
        '--false-alarm-rate).' + (few if number < need else '')
    ]


def _use_tasks(cfg: Config, tasks: Dict[str, int]) -> None:
    """Put a head of several tasks in the place of a recipe's head."""
    model = cfg.model
    kept = {k: v for k, v in model.cls_head.items() if k in KEPT}
    kept.update(type='MultiTaskVideoHead', num_classes=tasks)
    backbone = model.backbone
    if backbone.type == 'AttentiveProbe' or (
        backbone.get('out_type') == 'attn_pool'
    ):
        kept['num_queries'] = len(tasks)
        backbone.pooler = dict(
            backbone.get('pooler') or {}, num_queries=len(tasks)
        )
    model.cls_head = ConfigDict(kept)


def _metric(data: OwnData, most: int) -> Dict[str, Any]:
    """Return the config of the metric for such labels."""
    if data.several:
        return dict(type='AccMetric', metric_list='mean_average_precision')
    topk = (1, TOP) if most > TOP else (1,)
    if data.tasks:
        return dict(type='MultiTaskMetric', topk=topk)
    options = dict(top_k_accuracy=dict(topk=topk))
    return dict(type='AccMetric', metric_options=options)


def explain_labels(data: OwnData) -> List[str]:
    """Explain how clips that have no single label are learned and measured.

    Args:
        data (OwnData): The videos.

    Returns:
        List[str]: Sentences; none where every clip has one label.
    """
    if data.tasks:
        each = ', '.join(f'{len(data.of_task(t))} of {t}' for t in data.tasks)
        return [
            f'A classifier for each of {len(data.tasks)} tasks, classes: '
            f'{each}; their losses are added up (MultiTaskVideoHead).'
        ]
    if data.several:
        return [
            'Clips have several labels: binary cross entropy of every class '
            'by itself, measured by mean average precision. For classes that '
            'are rare everywhere: --cfg-options '
            'model.cls_head.loss_cls.type=mmpretrain.AsymmetricLoss'
        ]
    return []
