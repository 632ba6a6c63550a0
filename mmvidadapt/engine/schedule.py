"""Adapt a checkpoint to another batch size or number of processes."""

import copy
import logging
import warnings
from typing import Any, Dict, List, Optional

from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, _ParamScheduler
from mmengine.runner import EpochBasedTrainLoop, Runner

from .train_loaders import train_loaders
from .training_progress import take_progress

# What changes while a schedule goes on; the rest says which one it is.
MOVING = {
    'base_values',
    'last_step',
    'verbose',
    'optimizer',
    '_global_step',
    '_last_value',
}


def loader_facts(runner: Runner) -> Dict[str, Any]:
    """Count the clips and iterations of an epoch, by loader and process.

    Args:
        runner (Runner): Of the training.

    Returns:
        Dict[str, Any]: ``batch_size`` of every loader, ``processes`` and
        ``iterations`` of an epoch.
    """
    loaders = train_loaders(runner)
    return dict(
        batch_size=[
            getattr(ld.batch_sampler, 'batch_size', ld.batch_size)
            for ld in loaders
        ],
        processes=runner.world_size,
        iterations=min(map(len, loaders)),
    )


def rescale(runner: Runner, checkpoint: Dict[str, Any]) -> None:
    """Count a checkpoint's iterations in batches of this run.

    Where epochs have another number of iterations than before, counters and
    schedules would be at another part of the training, and the schedules
    would end too early or too late. They are moved to where they are in a run
    that always had these batches; the base of the learning rate stays, unless
    ``auto_scale_lr`` is enabled. Anything else that differs is logged.

    Args:
        runner (Runner): That is about to resume.
        checkpoint (Dict[str, Any]): What it resumes from, to be changed.
    """
    progress = take_progress(checkpoint)
    now, then = loader_facts(runner), progress.get('loader')
    then = then or {'iterations': _iterations(checkpoint)}
    sizes = [(f.get('batch_size'), f.get('processes')) for f in (then, now)]
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        if 'processes' in then and sizes[0] != sizes[1]:
            _warn(
                f'{_said(then, now)} The schedule counts iterations and goes '
                'on as it was.'
            )
        return
    length, before = now['iterations'], then['iterations']
    if before is None or before == length:
        _compare_schedules(runner, checkpoint)
        return
    meta = checkpoint['meta']
    batches = int(progress.get('batches', 0) * length / before)
    iters = meta['epoch'] * length + batches
    moved = _move_schedules(runner, checkpoint, iters, length)
    _warn(
        f'{_said(then, now)} The {meta["iter"]} iterations of the checkpoint '
        f'are counted as {iters}. {moved}'
    )
    validated = progress.get('validated') or {}
    if validated.get('iter') == meta['iter']:
        validated['iter'] = iters
    meta['iter'], progress['batches'] = iters, batches


def _iterations(checkpoint: Dict[str, Any]) -> Optional[int]:
    """Return the iterations of an epoch, as mmengine has noted them."""
    hub = checkpoint.get('message_hub') or {}
    info = hub.get('runtime_info', {})
    epochs, iters = info.get('max_epochs'), info.get('max_iters')
    return iters // epochs if epochs and iters else None


def _said(then: Dict[str, Any], now: Dict[str, Any]) -> str:
    """Name the sizes of the checkpoint and of this run."""

    def size(facts: Dict[str, Any]) -> str:
        known = ''
        if 'processes' in facts:
            batch = ' and '.join(map(str, facts['batch_size']))
            known = f'batch_size={batch} in {facts["processes"]} process(es), '
        return f'{known}{facts["iterations"]} iterations an epoch'

    return (
        f'The checkpoint was written with {size(then)}; this run has '
        f'{size(now)}.'
    )


def _move_schedules(
    runner: Runner, checkpoint: Dict[str, Any], iters: int, length: int
) -> str:
    """Advance new schedules to an iteration; return what was done."""
    config, wrapper = runner.cfg.get('param_scheduler'), runner.optim_wrapper
    if not checkpoint.get('param_schedulers') or not config:
        return 'There is no schedule to adapt.'
    if not isinstance(wrapper, OptimWrapper) or any(
        getattr(s, 'need_val_args', False) for s in runner.param_schedulers
    ):
        return (
            'The schedules stay where they were, since they depend on more '
            'than the iteration: adapt their lengths yourself.'
        )
    scaled = bool((runner.auto_scale_lr or {}).get('enable'))
    saved = checkpoint['optimizer']['param_groups']
    pairs = [
        (group, old, key)
        for group, old in zip(wrapper.param_groups, saved)
        for key in group
        if f'initial_{key}' in group
    ]
    for group, old, key in pairs:
        base = (group if scaled else old)[f'initial_{key}']
        group[key] = group[f'initial_{key}'] = base
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the optimizer makes no steps
        schedules = runner.build_param_scheduler(copy.deepcopy(config))
        _advance(schedules, iters, length)
    for group, old, key in pairs:
        old.update({k: group[k] for k in (key, f'initial_{key}')})
    checkpoint['param_schedulers'] = [s.state_dict() for s in schedules]
    return 'The schedules go on at the same part of the training. ' + (
        'auto_scale_lr has set the base of the learning rate.'
        if scaled
        else 'The base of the learning rate is that of the checkpoint; '
        '--auto-scale-lr would adapt it to the batch size.'
    )


def _advance(
    schedules: List[_ParamScheduler], iters: int, length: int
) -> None:
    """Step as a run does: in every iteration, and after every epoch."""
    for done in range(1, iters + 1):
        for schedule in schedules:
            if not schedule.by_epoch or done % length == 0:
                schedule.step()


def _compare_schedules(runner: Runner, checkpoint: Dict[str, Any]) -> None:
    """Warn where a config has another schedule than the checkpoint."""
    saved = checkpoint.get('param_schedulers') or []
    schedules = runner.param_schedulers or []
    if isinstance(saved, dict) or isinstance(schedules, dict):
        return
    texts = [
        f'param_scheduler[{i}].{key} is {value!r} in the checkpoint and '
        f'{schedule.state_dict()[key]!r} in the config'
        for i, (schedule, old) in enumerate(zip(schedules, saved))
        for key, value in old.items()
        if key not in MOVING and schedule.state_dict().get(key, value) != value
    ]
    if len(schedules) != len(saved):
        texts.append(
            f'there are {len(saved)} schedules in the checkpoint and '
            f'{len(schedules)} in the config'
        )
    if texts:
        _warn(
            f'The schedule goes on as the checkpoint has it: '
            f'{"; ".join(texts)}. To follow the config, give the checkpoint '
            'as `load_from` without `--resume`, which starts at epoch 1.'
        )


def _warn(text: str) -> None:
    """Log a warning."""
    print_log(text, logger='current', level=logging.WARNING)
