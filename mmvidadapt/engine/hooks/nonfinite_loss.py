"""Stop at the first loss that is not a number."""

import json
import math
from numbers import Real
from pathlib import Path
from typing import Any, Dict, List, Optional

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

UNNAMED = (
    "unnamed (add 'filename' to the meta_keys of PackActionInputs to "
    'see the path)'
)


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Stop when the loss is infinite or not a number, and say where.

    The error names iteration, epoch, learning rates, every loss term, the
    clips of the batch and of the one before (whose update may be the cause),
    and the newest checkpoint, which is left as it is.

    Args:
        dump (bool): Whether to write the same facts to
            ``nonfinite_loss_rank{rank}.json`` beside the log.
            Defaults to True.
    """

    priority = 'HIGH'  # before anything that averages or saves the weights

    def __init__(self, dump: bool = True) -> None:
        self.dump = dump
        self.previous: List[str] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Check the loss of this iteration."""
        clips, terms = clip_paths(data_batch), loss_terms(outputs)
        if all(map(math.isfinite, watched(terms))):
            self.previous = clips
            return
        facts = dict(
            iteration=runner.iter + 1,
            epoch=runner.epoch + 1,
            rank=runner.rank,
            learning_rates=learning_rates(runner),
            terms=terms,
            clips=clips,
            clips_before=self.previous,
            checkpoint=newest_checkpoint(runner),
        )
        if self.dump:
            path = Path(runner.log_dir, f'nonfinite_loss_rank{runner.rank}')
            path.with_suffix('.json').write_text(as_json(facts))
        raise RuntimeError(message(facts))


def loss_terms(outputs: Any) -> Dict[str, float]:
    """Return the numbers that a step of training gives, if it gives any."""
    terms = outputs if isinstance(outputs, dict) else {}
    return {
        name: float(value.detach() if isinstance(value, Tensor) else value)
        for name, value in terms.items()
        if isinstance(value, Real)
        or (isinstance(value, Tensor) and value.numel() == 1)
    }


def watched(terms: Dict[str, float]) -> List[float]:
    """Return the loss, or all losses where they are not added up."""
    if 'loss' in terms:
        return [terms['loss']]
    return [value for name, value in terms.items() if 'loss' in name]


def as_json(facts: dict) -> str:
    """Write facts as JSON, which has no NaN: loss terms become strings."""
    terms = {k: repr(v) for k, v in facts['terms'].items()}
    return json.dumps(dict(facts, terms=terms), indent=2)


def message(facts: dict) -> str:
    """Format the error: what happened, where, and what to try."""
    terms = ', '.join(f'{k}={v:g}' for k, v in facts['terms'].items())
    rates = ', '.join(f'{lr:g}' for lr in facts['learning_rates'])
    clips = ''.join(f'\n    {c}' for c in facts['clips'])
    before = ''.join(f'\n    {c}' for c in facts['clips_before'])
    return (
        f'The loss is not finite ({terms}) at iteration '
        f'{facts["iteration"]}, epoch {facts["epoch"]}, rank '
        f'{facts["rank"]}, learning rate {rates}.\n'
        f'  clips of this batch:{clips}\n'
        f'  clips of the batch before:{before or " none"}\n'
        f'  newest checkpoint: {facts["checkpoint"] or "none yet"}\n'
        'Try a lower learning rate, `optim_wrapper.clip_grad='
        'dict(max_norm=1)`, bfloat16 instead of float16, or look at the '
        'clips; then go on with `--resume`.'
    )


def clip_paths(data_batch: Any) -> List[str]:
    """Return the file of every clip in a batch, as far as it is known."""
    if isinstance(data_batch, dict):
        samples = data_batch.get('data_samples') or []
        return [str(s.get('filename', UNNAMED)) for s in samples]
    if not isinstance(data_batch, (list, tuple)):
        return []  # of a data set that is not of videos
    # Several loaders side by side give one batch each.
    return [path for batch in data_batch for path in clip_paths(batch)]


def learning_rates(runner: Runner) -> List[float]:
    """Return the distinct learning rates, smallest first."""
    rates: Dict[str, List[float]] = runner.optim_wrapper.get_lr()
    return sorted({lr for values in rates.values() for lr in values})


def newest_checkpoint(runner: Runner) -> Optional[str]:
    """Return the checkpoint that ``--resume`` would read, if there is one."""
    pointer = Path(runner.work_dir, 'last_checkpoint')
    return pointer.read_text().strip() if pointer.is_file() else None
