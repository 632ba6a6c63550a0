"""Freeze all parameters but those that a class declares as trained."""

import re
from typing import Sequence

from torch import nn


def freeze_except(module: nn.Module, patterns: Sequence[str]) -> None:
    """Train only the parameters whose whole name matches a pattern.

    Args:
        module (nn.Module): The module; ``requires_grad`` of all its
            parameters is set.
        patterns (Sequence[str]): Regular expressions.

    Raises:
        ValueError: If a pattern matches no parameter.
    """
    if isinstance(patterns, str):
        raise ValueError(f'trainable={patterns!r} is a string; give a tuple.')
    unused = set(patterns)
    for name, param in module.named_parameters():
        matched = {p for p in patterns if re.fullmatch(p, name)}
        param.requires_grad_(bool(matched))
        unused -= matched
    if unused:
        raise ValueError(
            f'No parameter of {type(module).__name__} matches '
            f'{sorted(unused)}. Was a module renamed?'
        )
