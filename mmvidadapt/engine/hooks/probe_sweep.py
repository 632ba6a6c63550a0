"""Compare the members of a sweep, and keep the best."""

import json
from pathlib import Path
from typing import Dict, List, Optional

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmvidadapt.methods.probe_sweep.config import member_config
from mmvidadapt.methods.probe_sweep.recognizer import ProbeSweep
from mmvidadapt.utils.text_table import text_table
from mmvidadapt.utils.whole_file import whole_file
from mmvidadapt.weights.adapter_file import SUFFIX

from ..adapters import make_adapter, split_names
from ..plain_config import plain_dict

TABLE, BEST = 'sweep.json', f'sweep_best{SUFFIX}'


@HOOKS.register_module()
class ProbeSweepHook(Hook):
    """Validate all members of ProbeSweep and keep the best of them.

    After every validation it prints the table of all members and writes it to
    ``sweep.json`` in the folder of the run. When a member is better than all
    were before, in this validation or an earlier one, it is copied into the
    model, and ``sweep_best.adapter.safetensors`` is written: an ordinary
    adapter file of it, with its config. The best value of a validation is
    reported under ``monitor``, so that the best checkpoint is that of the best
    member. A checkpoint that is written before the validation of its epoch
    holds the best of the epochs before. The best was selected on the
    validation set: report it as such, and test elsewhere. Among equals the
    first is taken.

    Args:
        monitor (str): What is compared, as a single run would report it.
            Defaults to 'acc/top1'.
        rule (str): ``'greater'`` or ``'less'`` is better.
            Defaults to 'greater'.

    Raises:
        ValueError: If the model is no ProbeSweep, the rule is unknown, a
            validation does not report ``monitor``, or something in the run
            treats all members as one: averaged weights, OneCycleLR, or a
            checkpoint of other rates.
    """

    priority = 'NORMAL'  # before CheckpointHook asks for the best

    def __init__(
        self, monitor: str = 'acc/top1', rule: str = 'greater'
    ) -> None:
        if rule not in ('greater', 'less'):
            raise ValueError(f"rule={rule!r}: choose 'greater' or 'less'.")
        self.monitor, self.rule = monitor, rule

    def before_train(self, runner: Runner) -> None:
        """Find the model, and refuse what would make members one."""
        self._find(runner)
        kinds = [type(hook).__name__ for hook in runner.hooks]
        if 'EMAHook' in kinds:
            raise ValueError(
                'EMAHook averages the weights of all members and of the best '
                'so far together: leave it out of a sweep, and average in the '
                'single run of the rates that win.'
            )
        schedulers = runner.param_schedulers or []
        if any(type(s).__name__ == 'OneCycleLR' for s in schedulers):
            raise ValueError(
                'OneCycleLR gives all groups one rate, its eta_max: choose '
                'LinearLR and CosineAnnealingLR for a sweep.'
            )
        groups = runner.optim_wrapper.optimizer.param_groups
        found = list(dict.fromkeys(group.get('member') for group in groups))
        if found != list(self.model.rates):
            raise ValueError(
                f'The checkpoint is of a sweep of {found}, this run sweeps '
                f'{list(self.model.rates)}: resume with the same model.sweep, '
                'in the same order.'
            )

    def _find(self, runner: Runner) -> None:
        """Find the model."""
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        if not isinstance(model, ProbeSweep):
            raise ValueError(
                f'ProbeSweepHook compares members of a ProbeSweep, not a '
                f"{type(model).__name__}: set model.type='ProbeSweep'."
            )
        self.model = model

    def before_val_epoch(self, runner: Runner) -> None:
        """Ask all members."""
        self._find(runner)
        self.before = self.model.kept.item()
        self.model.kept.fill_(-1)

    def after_val_epoch(
        self, runner: Runner, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Compare the members and keep the best."""
        metrics = metrics if metrics is not None else {}
        self.model.kept.fill_(self.before)
        values = [self._value(metrics, name) for name in self.model.rates]
        value = (max if self.rule == 'greater' else min)(values)
        best = list(self.model.rates)[values.index(value)]
        metrics[self.monitor] = value
        runner.message_hub.update_scalar(f'val/{self.monitor}', value)
        known = self.model.kept_value.item()
        better = value > known if self.rule == 'greater' else value < known
        if self.before < 0 or better:
            self.model.keep(best, value, runner.epoch)
            self._write(runner, best, value)
        table = [
            dict(name=name, **rates._asdict(), **{self.monitor: value})
            for (name, rates), value in zip(self.model.rates.items(), values)
        ]
        self._report(runner, table)

    def _value(self, metrics: Dict[str, float], name: str) -> float:
        """Read what a member reached."""
        place, _, metric = self.monitor.rpartition('/')
        key = f'{place}/{name}_{metric}' if place else f'{name}_{metric}'
        if key not in metrics:
            raise ValueError(
                f'ProbeSweepHook compares {self.monitor!r}, of which the '
                f'validation reports no {key!r}: it has {sorted(metrics)}. '
                'Choose another monitor, or AccMetric in val_evaluator.'
            )
        return metrics[key]

    @master_only
    def _report(self, runner: Runner, table: List[dict]) -> None:
        """Print the table and write it."""
        model = self.model
        best, epoch = list(model.rates)[model.kept], int(model.kept_epoch)
        reached = model.kept_value.item()
        rows = [
            [
                f'{row["lr"]:g}',
                f'{row["weight_decay"]:g}',
                f'{row[self.monitor]:.4f}',
            ]
            for row in table
        ]
        head = ['lr', 'weight decay', self.monitor]
        runner.logger.info(
            f'sweep\n{text_table([head, *rows])}\nbest, selected on '
            f'validation: {best} after epoch {epoch}, {reached:.4f}'
        )
        found = dict(best=best, best_epoch=epoch, best_value=reached)
        found.update(epoch=runner.epoch, iter=runner.iter, members=table)
        with whole_file(Path(runner.work_dir) / TABLE) as part:
            part.write_text(f'{json.dumps(found, indent=2)}\n')

    @master_only
    def _write(self, runner: Runner, best: str, value: float) -> None:
        """Write the adapter file of the best."""
        config = member_config(plain_dict(runner.cfg), self.model.rates[best])
        frozen = set(split_names(self.model)[1])
        reader = f'backbone.{self.model.backbone.reader}.'
        state = {
            name: tensor
            for name, tensor in self.model.state_dict().items()
            if not name.startswith(('members.', 'kept'))
        }
        own = [
            name
            for name in state
            if name not in frozen or name.startswith((reader, 'cls_head.'))
        ]
        names = own, [name for name in state if name not in own]
        meta = getattr(runner.train_dataloader.dataset, 'metainfo', None) or {}
        classes = meta.get('classes')
        adapter = make_adapter(
            names,
            state,
            config,
            classes=classes and list(classes),
            metrics={self.monitor: float(value)},
        )
        adapter.write(Path(runner.work_dir) / BEST)
