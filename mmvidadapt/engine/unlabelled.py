"""Clips without a label, of which no accuracy can be measured."""

from typing import Iterator

import numpy as np
from mmengine.evaluator import DumpResults
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import Dataset

from mmvidadapt.datasets.wrappers import inner_datasets


def have_labels(dataset: Dataset) -> Iterator[bool]:
    """Check clip by clip whether there is a label.

    Args:
        dataset (Dataset): A data set, or a wrapper of mmengine.

    Yields:
        bool: For the clips of data sets that can list them.
    """
    for part in inner_datasets(dataset):
        if hasattr(part, 'get_data_info'):
            for index in range(len(part)):
                label = part.get_data_info(index).get('label', -1)
                # Zeros and ones of several classes, or no negative number,
                # of several tasks any.
                marks = isinstance(label, Tensor)
                yield bool(label.any() if marks else np.max(label) >= 0)


def is_unlabelled(dataset: Dataset) -> bool:
    """Check whether a data set lists its clips, all without labels."""
    known = have_labels(dataset)
    return next(known, None) is False and not any(known)


def check_validation(runner: Runner) -> None:
    """Raise where a run would validate on clips without labels.

    Args:
        runner (Runner): The run.

    Raises:
        ValueError: If none of the clips has a label.
    """
    loop = runner.val_loop
    dataset = getattr(getattr(loop, 'dataloader', None), 'dataset', None)
    if dataset is not None and is_unlabelled(dataset):
        raise ValueError(
            f'{describe(dataset)} has no labels, so validation would count '
            'every clip as wrong. Give a list with labels, or train without '
            'validation (--no-validate).'
        )


def predict_only(runner: Runner) -> None:
    """Drop the metrics of a test of clips without labels.

    Args:
        runner (Runner): The run.

    Raises:
        ValueError: If none of the clips has a label, and the predictions are
            not written either.
    """
    dataset = runner.test_loop.dataloader.dataset
    if not is_unlabelled(dataset):
        return
    metrics = runner.test_loop.evaluator.metrics
    written = [m for m in metrics if isinstance(m, DumpResults)]
    if not written:
        raise ValueError(
            f'{describe(dataset)} has no labels, so there is no accuracy: '
            'every clip would count as wrong. Write the predictions instead '
            '(--dump FILE.pkl), or give a list with a label in every line.'
        )
    left_out = [type(m).__name__ for m in metrics if m not in written]
    metrics[:] = written
    print_log(
        f'{describe(dataset)} has no labels: predictions are written, and '
        f'nothing is measured (without {", ".join(left_out) or "metrics"}).',
        logger='current',
    )


def describe(dataset: Dataset) -> str:
    """Name the annotation list of a data set."""
    part = next(inner_datasets(dataset))
    return str(getattr(part, 'ann_file', type(part).__name__))
