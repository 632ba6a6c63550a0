"""Save checkpoints so that a killed run leaves whole ones only."""

import os
from contextlib import contextmanager
from numbers import Real
from typing import Any, Dict, Iterator, List, Optional

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import BaseLoop, Runner

from mmvidadapt.utils.whole_file import whole_file

from ..find_checkpoint import POINTER, find_checkpoint
from ..first_rank import on_first_rank
from ..remove_replaced import RemoveLater, clear_partial, remove_from
from ..training_progress import (
    INTERRUPTED,
    PROGRESS,
    may_replace,
    take_progress,
)
from ..work_dir_lock import lock_work_dir, release_work_dir


@HOOKS.register_module(name=['CheckpointHook', 'WholeCheckpointHook'])
class WholeCheckpointHook(CheckpointHook):
    """Save checkpoints as mmengine does, in an order that survives a kill.

    A checkpoint is complete before ``last_checkpoint`` names it, and that
    before an old one is removed, also the best one. ``--resume`` takes the
    newest whole checkpoint, says which it passes over, and removes what a
    killed run did not come to remove. A second training in the same folder is
    refused. In mmaction2's registry it takes the place of mmengine's
    ``CheckpointHook``, whose arguments it has.
    """

    resumed: Optional[Dict[str, Any]] = None  # what a checkpoint says of us
    validated: Optional[Dict[str, Any]] = None  # the newest validation
    saved_iter = -1  # iterations behind the newest checkpoint
    pointed: Optional[str] = None  # the newest checkpoint
    between: Optional[str] = None  # of a signal; the next takes its place

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outdated: List[str] = []  # to remove when the next is complete

    def before_run(self, runner: Runner) -> None:
        """Reserve the folder, and find what to resume from."""
        if not isinstance(runner._train_loop, BaseLoop):
            return  # a test
        on_first_rank(lock_work_dir, runner.work_dir)
        if runner._resume and runner._load_from is None:
            found = on_first_rank(find_checkpoint, runner.work_dir)
            runner._load_from, runner._resume = found, found is not None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep what the checkpoint says about files and validations."""
        if runner._resume:
            self.resumed = take_progress(checkpoint)
            self.validated = self.resumed.get('validated')

    def before_train(self, runner: Runner) -> None:
        """Clear away what a killed run has left."""
        super().before_train(runner)
        if '://' not in self.out_dir:
            on_first_rank(lock_work_dir, self.out_dir)
            clear_partial({runner.work_dir, self.out_dir})
        if self.resumed is not None and runner._load_from is not None:
            folder, name = os.path.split(runner._load_from)
            if os.path.abspath(folder) == os.path.abspath(self.out_dir):
                self._take_up(runner, name)

    def after_run(self, runner: Runner) -> None:
        """Release the folder for other trainings."""
        for folder in (runner.work_dir, self.out_dir):
            if folder is not None and '://' not in folder:
                release_work_dir(folder)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note which files a resumed run has to keep, or to clear away."""
        name, info = os.path.basename, runner.message_hub.runtime_info
        best = {k: name(v) for k, v in info.items() if v and is_best(k)}
        checkpoint.setdefault(PROGRESS, {}).update(
            outdated=[*map(name, self.outdated)],
            last=self.last_ckpt and name(self.last_ckpt),
            best=best,
            validated=self.validated,
        )

    def after_val_epoch(
        self, runner: Runner, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Note that the weights were validated, and save the best."""
        numbers = {
            name: float(value)
            for name, value in (metrics or {}).items()
            if isinstance(value, Real)
        }
        self.validated = dict(iter=runner.iter, metrics=numbers)
        super().after_val_epoch(runner, metrics)

    def save_interrupted(self, runner: Runner, epoch: int, step: int) -> None:
        """Save between two checkpoints; the next one takes its place.

        Args:
            runner (Runner): Of the training.
            epoch (int): Epochs that are complete.
            step (int): Iterations that are complete.
        """
        meta = dict(epoch=epoch, iter=step)
        with self._removing_last():
            self._save(runner, INTERRUPTED.format(step), meta)

    def _save_checkpoint(self, runner: Runner) -> None:
        with self._removing_last():
            super()._save_checkpoint(runner)

    def _save_best_checkpoint(
        self, runner: Runner, metrics: Dict[str, float]
    ) -> None:
        with self._removing_last():
            super()._save_best_checkpoint(runner, metrics)

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: Dict[str, Any]
    ) -> None:
        """Save under the name of a step, and count what is kept."""
        if self.max_keep_ckpts > 0:
            ids = [i for i in self.keep_ckpt_ids if i != step]
            while len(ids) >= self.max_keep_ckpts:
                name = self.filename_tmpl.format(ids.pop(0))
                self.outdated.append(self._path(name))
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend([*ids, step])
            runner.message_hub.update_info('keep_ckpt_ids', [*ids, step])
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self._path(name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._save(runner, name, meta)

    def _save(self, runner: Runner, name: str, meta: Dict[str, Any]) -> None:
        """Save, and name the newest checkpoint when it is complete."""
        if self.between is not None:
            self.outdated.append(self.between)
            self.between = None
        runner.call_hook('gather_for_checkpoint', meta=meta)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._point(runner, name, meta['iter'])

    def _point(self, runner: Runner, name: str, step: int) -> None:
        """Name the newest checkpoint."""
        self.saved_iter, self.pointed = step, self._path(name)
        if is_main_process():
            with whole_file(os.path.join(runner.work_dir, POINTER)) as part:
                part.write_text(self.pointed)

    def _take_up(self, runner: Runner, name: str) -> None:
        """Go on in the folder of the checkpoint, which may have been moved."""
        info, said = runner.message_hub.runtime_info, self.resumed
        files = {'last_ckpt': said.get('last'), **said.get('best', {})}
        for key, file in files.items():
            if file and (key == 'last_ckpt' or is_best(key)):
                runner.message_hub.update_info(key, self._path(file))
        self.last_ckpt = info.get('last_ckpt')
        if hasattr(self, 'best_ckpt_path'):
            self.best_ckpt_path = info.get('best_ckpt')
        for key in getattr(self, 'best_ckpt_path_dict', ()):
            self.best_ckpt_path_dict[key] = info.get(f'best_ckpt_{key}')
        self._point(runner, name, runner.iter)
        self.outdated += map(self._path, self.superseded())
        self._remove_outdated()
        if name == INTERRUPTED.format(runner.iter):
            self.between = self._path(name)

    def superseded(self) -> List[str]:
        """Return the names of files that the resumed checkpoint replaces."""
        return [
            name
            for name in (self.resumed or {}).get('outdated', ())
            if may_replace(name, self.filename_tmpl)
        ]

    @contextmanager
    def _removing_last(self) -> Iterator[None]:
        """Remove what is outdated when everything else was done."""
        backend = self.file_backend
        self.file_backend = RemoveLater(backend, self.outdated)
        try:
            yield
        finally:
            self.file_backend = backend
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        """Remove what another checkpoint has taken the place of."""
        paths, self.outdated[:] = {*self.outdated} - {*self.newest()}, []
        remove_from(self.file_backend, self._path(''), paths)

    def newest(self) -> List[str]:
        """Return the newest checkpoint and the best ones."""
        one = getattr(self, 'best_ckpt_path', None)
        several = getattr(self, 'best_ckpt_path_dict', {}).values()
        return [path for path in (self.last_ckpt, one, *several) if path]

    def _path(self, name: str) -> str:
        """Return where a checkpoint lies."""
        return self.file_backend.join_path(self.out_dir, name)


def is_best(key: str) -> bool:
    """Check whether a key of mmengine's holds the path of a best file."""
    return key == 'best_ckpt' or key.startswith('best_ckpt_')
