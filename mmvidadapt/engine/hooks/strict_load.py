"""No checkpoint is loaded by halves."""

from typing import Sequence

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmvidadapt.weights.compare import compare
from mmvidadapt.weights.whole import unmark

HEAD = r'cls_head\..*'
ADVICE = (
    'Load it with the config it was trained with. To load it all the same, '
    'name what may differ in regular expressions, for example\n'
    r"  dict(type='StrictLoadHook', allow_resized=[r'cls_head\..*'])"
    '\nin `custom_hooks` (allow_missing and allow_unknown work alike): what '
    'is allowed keeps the values that the model has.'
)


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Stop when a checkpoint and the model differ in names or shapes.

    mmengine loads with ``strict=False`` and only logs what does not fit, so
    that a wrong file is trained or tested as a random model. This hook
    compares first, after the renaming that the model does by itself. What the
    checkpoint holds for a head that has no weights, such as mmaction2's
    ``FeatureHead``, is left out.

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
        state_dict = checkpoint.get('state_dict', checkpoint)
        missing, unknown, resized = self.allowed
        if weightless_head(model):
            unknown = (*unknown, HEAD)
        difference = compare(model, state_dict).without(
            missing, unknown, resized
        )
        if difference:
            source = runner._load_from or 'The checkpoint'
            raise ValueError(
                f'{source} does not fit the model '
                f'{type(model).__name__}:\n{difference}\n'
                f'{ADVICE}'
            )
        unmark(state_dict)  # the parts need not look again


def weightless_head(model: nn.Module) -> bool:
    """Whether a model ends in a head that has nothing to load."""
    head = getattr(model, 'cls_head', None)
    return isinstance(head, nn.Module) and not head.state_dict()
