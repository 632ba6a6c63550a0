"""Save what was trained when the system asks a run to end."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional, Sequence

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce, get_comm_device
from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from mmvidadapt.utils import cpu_distributed

from ..signals import ShieldedInit, Vote, end_workers_at_exit
from ..train_loaders import train_loaders
from .whole_checkpoint import WholeCheckpointHook

SAME_WISH = 2.0  # seconds in which several signals mean one and the same
DEFAULT = (signal.SIG_DFL, signal.default_int_handler)
PROMISE = (
    'finishing this step and saving a checkpoint; once more ends at once.'
)


@HOOKS.register_module()
class InterruptHook(Hook):
    """End a training on a signal, with a checkpoint of where it is.

    ``scancel`` and the pre-emption of Slurm, ``Ctrl-C``, ``docker stop`` and
    ``timeout`` send one. The step is finished (with accumulated gradients,
    the update), a checkpoint is written unless there is one of this very
    step, and the process ends with 128 plus the number of the signal.
    ``--resume`` goes on from there to the same end. All processes of a run
    stop at the same step, whichever of them got the signal. A later second
    signal ends the process at once. A handler that was set by others stays.

    Args:
        signals (Sequence[str]): Their names.
            Defaults to ``('SIGTERM', 'SIGINT', 'SIGUSR1')``.
    """

    priority = 'LOWEST'  # after whatever else follows a step

    def __init__(
        self, signals: Sequence[str] = ('SIGTERM', 'SIGINT', 'SIGUSR1')
    ) -> None:
        unknown = [s for s in signals if not hasattr(signal, s)]
        if unknown:
            raise ValueError(
                f'signals={list(signals)}: {unknown} are none of this system.'
            )
        self.signals = [getattr(signal, name) for name in signals]
        self.asked, self.since = 0, 0.0  # which signal came, and when
        self.agreed = 0  # the signal for which all processes end
        self.vote: Optional[Vote] = None
        self.polls = 0  # validation steps that every process makes

    def before_run(self, runner: Runner) -> None:
        """Listen while the training loop runs."""
        loop = runner._train_loop
        if isinstance(loop, BaseLoop):
            loop.run = self._listening()(loop.run)  # it offers no other way in

    def before_train(self, runner: Runner) -> None:
        """Protect data loading workers, and let processes talk."""
        loaders = train_loaders(runner)
        if runner._val_loop is not None:
            loaders.append(runner.val_loop.dataloader)
        for loader in loaders:
            init = loader.worker_init_fn
            if not isinstance(init, ShieldedInit):
                loader.worker_init_fn = ShieldedInit(self.signals, init)
        end_workers_at_exit()
        if runner.world_size > 1:
            self.vote = Vote()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """End behind a step; the last one of an epoch completes it first."""
        if not self._is_agreed(runner):
            return
        length = min(map(len, train_loaders(runner)))
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if not (by_epoch and batch_idx + 1 == length) and is_updated(runner):
            self._end(runner, runner.epoch, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """End behind an epoch, before its validation."""
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if self.agreed and by_epoch:
            self._end(runner, runner.epoch + 1, runner.iter)

    def before_val_epoch(self, runner: Runner) -> None:
        """Find out how many steps all processes make."""
        polls = torch.tensor(len(runner.val_dataloader))
        if self.vote is not None:
            polls = polls.to(get_comm_device())
            all_reduce(polls, 'min')
        self.polls = int(polls)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
        outputs: Optional[Sequence] = None,
    ) -> None:
        """End in a validation, which comes first when the run is resumed."""
        if batch_idx < self.polls and self._is_agreed(runner):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):  # it has put in the average
                    hook._swap_ema_parameters()
            self._end(runner, runner.epoch, runner.iter)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Take signals that nobody else takes."""
        ours = [s for s in self.signals if signal.getsignal(s) in DEFAULT]
        if threading.current_thread() is not threading.main_thread():
            ours = []  # python allows it nowhere else
        before = {s: signal.signal(s, self._ask) for s in ours}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: Optional[FrameType]) -> None:
        """Note a signal; end at once when it is sent again."""
        if not self.asked:
            self.asked, self.since = number, time.monotonic()
            name = signal.Signals(number).name
            # Not the logger, which may be what was interrupted.
            os.write(2, f'{name}: {PROMISE}\n'.encode())
        elif time.monotonic() - self.since > SAME_WISH:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _is_agreed(self, runner: Runner) -> bool:
        """Check whether a signal came, to this process or to another one."""
        if self.vote is not None and not self.agreed:
            self.agreed = self.vote.highest(self.asked)
        elif runner.world_size == 1:
            self.agreed = self.asked
        return bool(self.agreed)

    def _end(self, runner: Runner, epoch: int, step: int) -> None:
        """Save unless it is done, and end."""
        savers = [
            h for h in runner.hooks if isinstance(h, WholeCheckpointHook)
        ]
        if not savers:
            saved = 'Nothing is saved: the config has no CheckpointHook.'
        else:
            if savers[0].saved_iter != step:
                savers[0].save_interrupted(runner, epoch, step)
            saved = (
                f'What was trained is in {savers[0].pointed}; go on with '
                '--resume.'
            )
        name = signal.Signals(self.agreed).name
        runner.logger.warning(
            f'{name} has ended the training after {step} iterations. {saved}'
        )
        cpu_distributed.leave()
        raise SystemExit(128 + self.agreed)


def is_updated(runner: Runner) -> bool:
    """Check whether the last step was one of the optimizer, too.

    Args:
        runner (Runner): Of the training.

    Returns:
        bool: False while gradients are being accumulated.
    """
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapperDict):
        return all(w.should_update() for w in wrapper.values())
    return wrapper.should_update()
