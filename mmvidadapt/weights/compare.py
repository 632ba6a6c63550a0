"""Compare a checkpoint with the model it is for, as loading would see it."""

import re
from typing import Dict, List, NamedTuple, Sequence, Tuple

from torch import Tensor, nn

from mmvidadapt.utils.printable import printable

from .check import find_damage

SHOWN = 12  # names per list in an error


class Difference(NamedTuple):
    """What keeps a checkpoint from fitting a model.

    ``missing`` names what only the model has, ``unknown`` what only the
    checkpoint has, ``resized`` what differs in shape: (name, shape in the
    checkpoint, shape in the model), ``damaged`` what is of another kind of
    number or not finite.
    """

    missing: List[str]
    unknown: List[str]
    resized: List[Tuple[str, tuple, tuple]]
    damaged: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return any(self)

    def without(
        self,
        missing: Sequence[str],
        unknown: Sequence[str],
        resized: Sequence[str],
    ) -> 'Difference':
        """Drop the names that match one of the regular expressions."""
        return Difference(
            [name for name in self.missing if not matches(name, missing)],
            [name for name in self.unknown if not matches(name, unknown)],
            [row for row in self.resized if not matches(row[0], resized)],
            self.damaged,
        )

    def __str__(self) -> str:
        """List the differences, one per line."""
        lines = [f'  missing in the checkpoint: {n}' for n in self.missing]
        lines[SHOWN:] = more(lines)
        unknown = [
            f'  unknown to the model: {printable(n)}' for n in self.unknown
        ]
        unknown[SHOWN:] = more(unknown)
        resized = [
            f'  {name}: checkpoint {saved}, model {wanted}'
            for name, saved, wanted in self.resized
        ]
        resized[SHOWN:] = more(resized)
        damaged = [f'  damaged: {printable(line)}' for line in self.damaged]
        damaged[SHOWN:] = more(damaged)
        return '\n'.join(lines + unknown + resized + damaged)


def more(lines: List[str]) -> List[str]:
    """Say how many lines a shortened list leaves out."""
    left = len(lines) - SHOWN
    return [f'  ... and {left} more'] if left > 0 else []


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the regular expressions matches the whole name."""
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def compare(model: nn.Module, state_dict: Dict[str, Tensor]) -> Difference:
    """Compare names and shapes as ``model.load_state_dict`` would see them.

    Args:
        model (nn.Module): The model, without a distributed wrapper.
        state_dict (Dict[str, Tensor]): The tensors of a checkpoint. It stays
            as it is.

    Returns:
        Difference: What would be missing, unknown, of another shape or
        damaged.
    """
    wanted = model.state_dict()
    saved = renamed(model, state_dict)
    return Difference(
        [k for k in wanted if k not in saved and counts(k)],
        [k for k in saved if k not in wanted],
        [
            (k, tuple(saved[k].shape), tuple(wanted[k].shape))
            for k in wanted
            if k in saved and saved[k].shape != wanted[k].shape
        ],
        find_damage(wanted, saved),
    )


def counts(name: str) -> bool:
    """Whether absence matters: batch counters are absent in old files."""
    return not name.endswith('num_batches_tracked')


def renamed(
    model: nn.Module, state_dict: Dict[str, Tensor]
) -> Dict[str, Tensor]:
    """Return a copy with the names that the model's own hooks give.

    A backbone renames foreign checkpoints in a ``load_state_dict`` pre-hook;
    the hooks run here on a copy, as PyTorch runs them.
    """
    copy = {re.sub(r'^module\.', '', k): v for k, v in state_dict.items()}
    for name, module in model.named_modules():
        prefix = f'{name}.' if name else ''
        for hook in module._load_state_dict_pre_hooks.values():
            hook(copy, prefix, {}, True, [], [], [])
    return copy
