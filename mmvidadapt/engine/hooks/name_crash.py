"""A crash of a data loading worker ends with the name of a file."""

import re
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader, Dataset

from ..train_loaders import train_loaders
from .bad_videos import with_ledger

NAMED = 'It died while it was reading:'
PIDS = re.compile(r'DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)')


@HOOKS.register_module()
class NameCrashHook(Hook):
    """Name the video that a worker was reading when it died.

    Decoders crash on some files, and the system ends processes that take all
    memory; PyTorch then knows a process number and a signal. For data sets of
    type ``CheckedVideoDataset`` in epoch-based loops.
    """

    def before_train(self, runner: Runner) -> None:
        """Watch the training loaders."""
        for loader in train_loaders(runner):
            watch(loader, runner.train_loop)

    def before_val(self, runner: Runner) -> None:
        """Watch the loader of the validation."""
        watch(runner.val_loop.dataloader, runner.val_loop)

    def before_test(self, runner: Runner) -> None:
        """Watch the loader of the test."""
        watch(runner.test_loop.dataloader, runner.test_loop)


@contextmanager
def naming(dataset: Dataset) -> Iterator[None]:
    """Add the name of the video to the error that a dead worker causes."""
    try:
        yield
    except RuntimeError as error:
        files = dead_reads(dataset, str(error))
        if not files or NAMED in str(error):
            raise
        listed = ''.join(f'\n  {file}' for file in files)
        raise RuntimeError(
            f'{error}\n{NAMED}{listed}\nTake the file out of the list, or '
            'fetch it again. If memory ran out, use fewer workers or a '
            'smaller batch.'
        ) from error


class WatchedLoader(DataLoader):
    """A loader whose errors name the videos of dead workers."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches."""
        with naming(self.dataset):
            yield from super().__iter__()


def watch(loader: DataLoader, loop: BaseLoop) -> None:
    """Watch the loader of a loop, so that dead workers name their videos.

    PyTorch raises from a signal: while the loader waits for a batch, or in
    the midst of an iteration.
    """
    if type(loader) is DataLoader:  # a loop offers no other way in
        loader.__class__ = WatchedLoader
        run_iter = getattr(loop, 'run_iter', None)
        if run_iter is not None:
            loop.run_iter = naming(loader.dataset)(run_iter)


def dead_reads(dataset: Dataset, message: str) -> List[str]:
    """Return what dead workers were reading.

    Args:
        dataset (Dataset): What they were reading from.
        message (str): PyTorch's, with their process numbers.

    Returns:
        List[str]: Files.
    """
    found: Optional[re.Match] = PIDS.search(message)
    pids = [int(pid) for pid in found[1].split(',')] if found else []
    reads = [
        (inner, inner.ledger.last_read(pid))
        for inner in with_ledger(dataset)
        for pid in pids
    ]
    return [inner.path(index) for inner, index in reads if index is not None]
