"""Write an adapter file beside every checkpoint."""

import dataclasses
from numbers import Real
from os.path import basename, splitext
from typing import Dict, Iterable, List, Optional, Set, Union

import torch
from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmvidadapt.methods.probe_sweep.recognizer import ProbeSweep
from mmvidadapt.utils.check_registered import check_running
from mmvidadapt.weights.adapter_file import (
    SUFFIX,
    AdapterFile,
    literal,
    read_adapter,
)

from ..adapters import make_adapter, split_names
from ..plain_config import plain_dict
from ..remove_replaced import remove_from


@HOOKS.register_module()
class AdapterCheckpointHook(Hook):
    """Write what was trained into a small file beside every checkpoint.

    ``epoch_3.pth`` gets ``epoch_3.adapter.safetensors``, and so does the best
    one; where CheckpointHook removes a checkpoint, its adapter file goes too.
    The weights are those of the checkpoint, hence averaged ones with EMAHook,
    and the validation that follows adds its metrics. The first rank writes.
    Where nothing is frozen, or nothing is saved, there is nothing to do.
    """

    priority = 'LOWEST'  # after CheckpointHook, and after EMAHook's swap

    saver: Optional[CheckpointHook] = None
    fresh: Optional[AdapterFile] = None  # saved, but not yet written
    last: Optional[AdapterFile] = None
    step = -1  # iterations behind the last one

    def before_train(self, runner: Runner) -> None:
        """Find CheckpointHook, and refuse what could not be written."""
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        self.names = split_names(model)
        savers = [h for h in runner.hooks if isinstance(h, CheckpointHook)]
        self.config = plain_dict(runner.cfg)
        reason = 'no CheckpointHook.' if not savers else self._reason()
        if isinstance(model, ProbeSweep):
            reason = 'ProbeSweepHook writes that of the best member.'
        if reason:
            logger = runner.logger
            say = logger.warning if savers and self.names[1] else logger.info
            say(f'AdapterCheckpointHook writes nothing: {reason}')
            return
        literal(self.config)
        self.saver = savers[0]
        self.kept = self._passing()
        if runner._resume:
            self._complete(runner)

    def _reason(self) -> str:
        """Return the reason why there is nothing to write, if so."""
        if not self.names[1]:
            return 'nothing is frozen.'
        if not isinstance(self.config.get('model'), dict):
            return 'the config of the run does not describe its model.'
        try:
            check_running(self.config, 'An adapter file of this run')
        except ValueError as error:
            return f'it could not be read again. {error}'
        return ''

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the adapter out of a checkpoint, which the first rank has."""
        if self.saver is None:
            return
        meta = checkpoint['meta'].get('dataset_meta') or {}
        classes = meta.get('classes')
        self.fresh = make_adapter(
            self.names,
            checkpoint['state_dict'],
            self.config,
            classes=classes and list(classes),
        )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Union[dict, tuple, list, None] = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Write what was saved after this iteration."""
        self._write(runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Write what was saved after this epoch."""
        self._write(runner.iter)

    def after_val_epoch(
        self, runner: Runner, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Add the metrics to the adapter they are of, and write the best."""
        numbers = {
            name: float(value)
            for name, value in (metrics or {}).items()
            if isinstance(value, Real)
        }
        if self.fresh is None and self.step == runner.iter:
            self.fresh = self.last
        self._write(runner.iter, numbers)

    def _write(
        self, step: int, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Write beside the newest checkpoints, and remove with the old."""
        if self.fresh is None:
            return
        newest = {self.saver.last_ckpt} - {None}
        passing = self._passing()
        self._put(newest | set(self._best()) - self.kept, step, metrics)
        self._remove(self.kept - passing)
        self.kept = passing

    def _complete(self, runner: Runner) -> None:
        """Do what a killed run has left undone behind its checkpoint."""
        saver = self.saver
        resumed = getattr(saver, 'pointed', None)
        if resumed is None:
            return  # from elsewhere
        self._remove(
            saver.file_backend.join_path(saver.out_dir, name)
            for name in saver.superseded()
        )
        if resumed != saver.last_ckpt:
            return  # it lies between two checkpoints
        self._take(runner)
        validated, metrics = saver.validated or {}, None
        if validated.get('iter') == runner.iter:
            metrics = validated['metrics']
        elif self.fresh is not None:
            metrics = known_metrics(beside(resumed), self.fresh)
        name = basename(resumed)
        best = {path for path in self._best() if path.endswith(f'_{name}')}
        self._put({resumed, *best}, runner.iter, metrics)

    @master_only
    def _take(self, runner: Runner) -> None:
        """Take the adapter out of the model as if it was saved now."""
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        meta = getattr(runner.train_dataloader.dataset, 'metainfo', None)
        checkpoint = dict(
            meta=dict(dataset_meta=meta), state_dict=model.state_dict()
        )
        runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)

    def _put(
        self,
        paths: Iterable[str],
        step: int,
        metrics: Optional[Dict[str, float]],
    ) -> None:
        """Write beside checkpoints."""
        if self.fresh is None:
            return
        self.last = dataclasses.replace(self.fresh, metrics=metrics or {})
        self.fresh, self.step = None, step
        content = self.last.to_bytes()
        for path in sorted(paths):
            self.saver.file_backend.put(content, beside(path))

    def _remove(self, checkpoints: Iterable[str]) -> None:
        """Remove what lay beside checkpoints of this run."""
        backend = self.saver.file_backend
        folder = backend.join_path(self.saver.out_dir, '')
        remove_from(backend, folder, map(beside, checkpoints))

    def _passing(self) -> Set[str]:
        """Name the checkpoints that CheckpointHook may remove one day."""
        saver, numbered = self.saver, []
        if saver.max_keep_ckpts > 0:
            numbered = [
                saver.file_backend.join_path(
                    saver.out_dir, saver.filename_tmpl.format(step)
                )
                for step in saver.keep_ckpt_ids
            ]
        return {*numbered, *self._best()}

    def _best(self) -> List[str]:
        """Name the best checkpoints so far."""
        one = getattr(self.saver, 'best_ckpt_path', None)
        several = getattr(self.saver, 'best_ckpt_path_dict', {})
        return [path for path in (one, *several.values()) if path]


def beside(checkpoint: str) -> str:
    """Name the adapter file of a checkpoint."""
    return splitext(checkpoint)[0] + SUFFIX


def known_metrics(
    path: str, adapter: AdapterFile
) -> Optional[Dict[str, float]]:
    """Read the metrics of an adapter file, if it is of the same weights.

    Args:
        path (str): The file, which may be damaged or missing.
        adapter (AdapterFile): With the weights.

    Returns:
        Optional[Dict[str, float]]: None where nothing is known.
    """
    try:
        old = read_adapter(path)
    except (OSError, ValueError):
        return None
    same = old.tensors.keys() == adapter.tensors.keys() and all(
        torch.equal(tensor, adapter.tensors[name].cpu())
        for name, tensor in old.tensors.items()
    )
    return old.metrics if same else None
