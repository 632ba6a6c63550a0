"""Resume where a run was interrupted, to the batch."""

import logging
from typing import Any, Callable, Dict, Iterator, List, Optional

from mmaction.registry import HOOKS
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import (
    BaseLoop,
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
)

from ..schedule import loader_facts, rescale
from ..seed import get_random_state, set_random_state
from ..train_loaders import train_loaders
from ..training_progress import PROGRESS, take_progress


@HOOKS.register_module()
class ResumeHook(Hook):
    """Resume a run so that it ends as one that was never interrupted.

    A checkpoint of the middle of an epoch holds how many batches were trained
    on, and the random states of all processes. Resuming reads these batches
    again, which brings data loading workers where they were, leaves them out,
    and goes on. A validation that was due behind the checkpoint comes first.
    Where batches have another size than before, or another number of
    processes trains, counters and schedules are adapted, with a warning.
    """

    priority = 'LOWEST'  # a validation needs what other hooks prepare

    batches = 0  # of this epoch that were trained on
    progress: Optional[Dict[str, Any]] = None  # of the checkpoint
    validated = False  # behind the checkpoint
    before: Optional[Dict[str, Any]] = None  # random state before validating

    def __init__(self) -> None:
        self.position: Dict[str, Any] = {}

    def gather_for_checkpoint(
        self, runner: Runner, meta: Dict[str, Any]
    ) -> None:
        """Collect what the first rank will save; all ranks come here.

        Args:
            runner (Runner): Of the training.
            meta (Dict[str, Any]): ``epoch`` and ``iter`` of the checkpoint.
        """
        batches = self.batches if meta['epoch'] == runner.epoch else 0
        state = self.before or get_random_state()
        states = all_gather_object(state) if batches else []
        self.position = dict(
            batches=batches, random=states, loader=loader_facts(runner)
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Save the position."""
        checkpoint.setdefault(PROGRESS, {}).update(self.position)
        self.position = {}  # the best checkpoints are not resumed from

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the position, counted in batches of this run."""
        if runner._resume and isinstance(runner._train_loop, BaseLoop):
            progress = take_progress(checkpoint)
            validated = progress.get('validated') or {}
            self.validated = (
                validated.get('iter') == checkpoint['meta']['iter']
            )
            rescale(runner, checkpoint)
            self.progress = progress

    def before_train(self, runner: Runner) -> None:
        """Validate what the interrupted run has not come to validate."""
        if self.progress is not None and not self.progress.get('batches'):
            self._validate(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Leave out what was trained on before the interruption."""
        progress, self.progress = self.progress or {}, None
        self.batches = progress.get('batches', 0)
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            length = min(map(len, train_loaders(runner)))
            self.batches = min(self.batches, length)
        if self.batches:
            runner.logger.info(
                f'Reading the first {self.batches} batches of the epoch again '
                'without training on them: the checkpoint has done so.'
            )
            state = own_state(runner, progress)

            def behind() -> None:
                if state is not None:
                    set_random_state(state)
                self._validate(runner)

            leave_out(runner.train_loop, self.batches, behind)

    def _validate(self, runner: Runner) -> None:
        """Validate where the loop would have done so."""
        if not self.validated and is_validation_due(runner, self.batches):
            runner.logger.info(
                'The validation behind the checkpoint comes first.'
            )
            runner.val_loop.run()

    def before_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Optional[dict] = None,
    ) -> None:
        """Count the batches."""
        self.batches = batch_idx + 1

    def before_val(self, runner: Runner) -> None:
        """Begin to count anew, unless epochs are not counted."""
        if isinstance(runner._train_loop, EpochBasedTrainLoop):
            self.batches = 0
        else:
            self.before = get_random_state()

    def after_val(self, runner: Runner) -> None:
        """Note that a validation is over."""
        self.before = None


def is_validation_due(runner: Runner, batches: int) -> bool:
    """Check whether mmengine's loop validates at this point.

    Args:
        runner (Runner): Of the training.
        batches (int): Of this epoch that were trained on.

    Returns:
        bool: As its loop decides.
    """
    loop, counts = runner.train_loop, None
    if isinstance(loop, EpochBasedTrainLoop) and not batches:
        counts = loop.epoch, loop.max_epochs
    elif isinstance(loop, IterBasedTrainLoop):
        counts = loop.iter, loop.max_iters
    if runner._val_loop is None or counts is None:
        return False
    done, last = counts
    loop._decide_current_val_interval()
    due = done % loop.val_interval == 0 or done == last
    return done >= max(1, loop.val_begin) and due


def own_state(
    runner: Runner, progress: Dict[str, Any]
) -> Optional[Dict[str, Any]]:
    """Return the random state of this rank, as far as it is known.

    Args:
        runner (Runner): Of the training.
        progress (Dict[str, Any]): Of the checkpoint.

    Returns:
        Optional[Dict[str, Any]]: None with another number of processes.
    """
    states: List[Dict[str, Any]] = progress.get('random') or []
    if len(states) == runner.world_size:
        return states[runner.rank]
    print_log(
        f'The checkpoint was written by {len(states)} process(es), this run '
        f'has {runner.world_size}: it will draw other random numbers than an '
        'uninterrupted one.',
        logger='current',
        level=logging.WARNING,
    )
    return None


def leave_out(
    loop: BaseLoop, batches: int, behind: Callable[[], None]
) -> None:
    """Skip the first batches of an epoch.

    Args:
        loop (BaseLoop): Of the training.
        batches (int): How many.
        behind (Callable[[], None]): What to do then.
    """

    def pass_over(idx: int, data_batch: Any) -> None:
        if idx + 1 == batches:
            loop.run_iter = run_iter
            behind()

    def call_behind(left: Iterator[Any]) -> Iterator[Any]:
        for idx, data_batch in enumerate(left):
            if idx + 1 == batches:
                behind()
            yield data_batch

    if isinstance(loop, EpochBasedTrainLoop):
        run_iter, loop.run_iter = loop.run_iter, pass_over  # no other way in
    else:  # mmengine passes over the batches itself
        loop.dataloader_iterator = call_behind(loop.dataloader_iterator)
