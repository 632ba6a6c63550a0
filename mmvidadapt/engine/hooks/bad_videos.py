"""Share unreadable videos between the processes of a run."""

from typing import Iterator, Optional

import torch
from mmaction.models.heads import BaseHead
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, get_comm_device
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmvidadapt.datasets.wrappers import inner_datasets
from mmvidadapt.utils.printable import printable

from ..train_loaders import train_loaders
from ..unlabelled import check_validation, predict_only


@HOOKS.register_module()
class BadVideosHook(Hook):
    """Check labels before training, and count bad videos after an epoch.

    Labels that the head has no class for end a run with their lines, not with
    an index error of a GPU. Clips without any labels are no training or
    validation data, and in a test they have predictions, but no accuracy.
    Videos that other processes found unreadable are
    logged by the first one, and all of them together must not be more than
    ``max_bad_ratio``. For data sets of type ``CheckedVideoDataset``.
    """

    def before_train(self, runner: Runner) -> None:
        """Compare the labels with the head."""
        check_validation(runner)
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        head = getattr(model, 'cls_head', None)
        num_classes: Optional[int] = getattr(head, 'num_classes', None)
        if num_classes is not None:
            for dataset in self._datasets(runner):
                dataset.check_labels(num_classes, isinstance(head, BaseHead))

    def before_val(self, runner: Runner) -> None:
        """Look whether there are labels to compare with."""
        check_validation(runner)

    def before_test(self, runner: Runner) -> None:
        """Measure no accuracy where there are no labels."""
        predict_only(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Bring together what the processes found."""
        for dataset in self._datasets(runner):
            ledger = dataset.ledger
            before = ledger.bad.clone()
            bad = before.to(get_comm_device(), torch.int32)
            all_reduce(bad, 'max')
            ledger.bad.copy_(bad.cpu())
            elsewhere = (ledger.bad - before).nonzero().flatten().tolist()
            if ledger.count():
                runner.logger.warning(
                    f'{ledger.count()} of {len(dataset)} videos of '
                    f'{dataset.ann_file} were unreadable so far.'
                    + ''.join(
                        f'\n  {printable(dataset.path(i))}' for i in elsewhere
                    )
                )
            dataset.check_ratio()

    def _datasets(self, runner: Runner) -> Iterator[Dataset]:
        """Yield what is trained on, as far as it keeps a ledger."""
        for loader in train_loaders(runner):
            yield from with_ledger(loader.dataset)


def with_ledger(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the data sets with a ledger inside of wrappers."""
    for inner in inner_datasets(dataset):
        if hasattr(inner, 'ledger'):
            yield inner
