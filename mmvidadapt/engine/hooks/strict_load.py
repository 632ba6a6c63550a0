"""Reject checkpoints that do not fit the model, before they are loaded."""

from typing import Any, Dict, List, Sequence

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn

from mmvidadapt.weights.fit import Difference
from mmvidadapt.weights.load_hooks import compare, renamed
from mmvidadapt.weights.resize import resize_time

HEAD = r'cls_head\..*'
KEY = 'load_options'  # of a config
OPTIONS = ('new_head', 'interpolate_time')
ADVICE = (
    'Load it with the config it was trained with. To load it all the same, '
    'name what may differ in regular expressions, for example\n'
    r"  dict(type='StrictLoadHook', allow_resized=[r'cls_head\..*'])"
    '\nin `custom_hooks` (allow_missing and allow_unknown work alike): what '
    'is allowed keeps the values that the model has.'
)
HEAD_ADVICE = (
    'The classifier differs, as for other classes: to train a new one, '
    '--new-head of tools/train.py, or load_options.new_head=True in '
    '--cfg-options.'
)
TIME_ADVICE = (
    'The number of frames differs: to interpolate {names} over time, '
    '--interpolate-time of tools/train.py, or '
    'load_options.interpolate_time=True in --cfg-options.'
)


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Stop when a checkpoint and the model differ in names or shapes.

    mmengine loads with ``strict=False`` and only logs what does not fit, so
    that a wrong file is trained or tested as a random model. This hook
    compares first, after the renaming that the model does by itself. What the
    checkpoint holds for a head that has no weights, such as mmaction2's
    ``FeatureHead``, is left out.

    ``load_options`` of a config say what may differ where one trains on from
    a checkpoint: ``new_head=True``, the classifier, whose tensors of other
    names and shapes are the model's own; ``interpolate_time=True``, the
    number of frames, for which positions in time are interpolated.

    Args:
        allow_missing (Sequence[str]): Regular expressions for names that the
            checkpoint may lack. Defaults to ().
        allow_unknown (Sequence[str]): Regular expressions for names that the
            model may lack. Defaults to ().
        allow_resized (Sequence[str]): Regular expressions for tensors whose
            shape may differ; the model keeps its own. Defaults to ().
    """

    priority = 'ABOVE_NORMAL'  # after hooks that complete a checkpoint

    def __init__(
        self,
        allow_missing: Sequence[str] = (),
        allow_unknown: Sequence[str] = (),
        allow_resized: Sequence[str] = (),
    ) -> None:
        self.allowed = (allow_missing, allow_unknown, allow_resized)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint with the model that waits for it."""
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        options = load_options(runner)
        if options.get('interpolate_time'):
            interpolate(model, checkpoint)
        state_dict = checkpoint.get('state_dict', checkpoint)
        missing, unknown, resized = self.allowed
        if weightless_head(model):
            unknown = (*unknown, HEAD)
        # A test with a classifier that is new would test nothing.
        trains = isinstance(getattr(runner, '_train_loop', None), BaseLoop)
        if options.get('new_head') and trains:
            missing, unknown, resized = (
                (*names, HEAD) for names in (missing, unknown, resized)
            )
        found = compare(model, state_dict)
        difference = found.without(missing, unknown, resized)
        if difference:
            source = runner._load_from or 'The checkpoint'
            text = '\n'.join(advice(model, state_dict, difference))
            raise difference.refusal(source, 'model', model, text)
        if found:
            complete(model, state_dict, found)


def load_options(runner: Runner) -> Dict[str, Any]:
    """Return what the config of a run says of loading.

    Args:
        runner (Runner): Its config may have ``load_options``.

    Returns:
        Dict[str, Any]: The options.

    Raises:
        ValueError: If there are others.
    """
    config = getattr(runner, 'cfg', None) or {}
    options = config.get(KEY) or {}
    unknown = set(options) - set(OPTIONS)
    if unknown:
        raise ValueError(
            f'{KEY} has {sorted(unknown)}: choose from {list(OPTIONS)}.'
        )
    return options


def interpolate(model: nn.Module, checkpoint: dict) -> None:
    """Interpolate what a checkpoint has for another number of frames.

    Args:
        model (nn.Module): The model that it is for.
        checkpoint (dict): What is loaded; it is changed in place.
    """
    state_dict = checkpoint.get('state_dict', checkpoint)
    weights = renamed(model, state_dict)
    own, done = model.state_dict(), []
    for name, saved, wanted in compare(model, state_dict).resized:
        value = resize_time(model, name, weights[name], own[name].shape)
        if value is not None:
            weights[name] = value
            done.append(f'\n  {name}: {saved} to {wanted}')
    if done:
        print_log('Interpolated over time:' + ''.join(done), logger='current')
        state_dict.clear()
        state_dict.update(weights)


def complete(
    model: nn.Module, state_dict: dict, difference: Difference
) -> None:
    """Complete a checkpoint with the model's own values where it may differ.

    Args:
        model (nn.Module): The model.
        state_dict (dict): What is loaded; it is changed in place, so that it
            fits.
        difference (Difference): All that differs.
    """
    weights, own = renamed(model, state_dict), model.state_dict()
    kept = [*difference.missing, *(name for name, *_ in difference.resized)]
    weights.update({name: own[name] for name in kept})
    state_dict.clear()
    state_dict.update(
        (name, value) for name, value in weights.items() if name in own
    )
    print_log(
        f'Not loaded, as is allowed: {[*difference.unknown, *kept]}',
        logger='current',
    )


def advice(
    model: nn.Module, state_dict: dict, difference: Difference
) -> List[str]:
    """Word what to do about a difference, by the names of the options."""
    weights, own = renamed(model, state_dict), model.state_dict()
    resized = [name for name, _, _ in difference.resized]
    names = [
        name
        for name in resized
        if resize_time(model, name, weights[name], own[name].shape) is not None
    ]
    said = []
    if names:
        said.append(TIME_ADVICE.format(names=', '.join(names[:3])))
    if any(name.startswith('cls_head.') for name in resized):
        said.append(HEAD_ADVICE)
    return [*said, ADVICE]


def weightless_head(model: nn.Module) -> bool:
    """Check whether a model ends in a head that has nothing to load."""
    head = getattr(model, 'cls_head', None)
    return isinstance(head, nn.Module) and not head.state_dict()
