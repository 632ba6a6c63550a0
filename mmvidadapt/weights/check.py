"""Compare weights with the model they are for, before anything is loaded."""

import re
from typing import Collection, Dict, List, Mapping, Sequence

import torch
from torch import Tensor

ADVICE = (
    'Choose the arch and img_size that the weights were made with, and name '
    'parameters that they cannot have in `new`.'
)
AGAIN = 'Fetch the weights again, or take an earlier checkpoint.'
DIALECT = (
    "\nThe dialect may be another one: 'clip' has ln_pre and no conv1.bias, "
    "'imagenet' the reverse."
)


def check_weights(
    own: Dict[str, Tensor],
    weights: Dict[str, Tensor],
    new: Sequence[str],
    model: str,
) -> None:
    """Compare names, sizes, types and numbers.

    Args:
        own (Dict[str, Tensor]): State of the model.
        weights (Dict[str, Tensor]): What it is to become.
        new (Sequence[str]): Regular expressions over names that the weights
            may lack.
        model (str): What to call the model in the error.
    """
    missing = [
        name
        for name in own
        if name not in weights
        and not any(re.fullmatch(pattern, name) for pattern in new)
    ]
    unknown = [name for name in weights if name not in own]
    sizes = [
        f'{name}: {tuple(value.shape)} in the weights, '
        f'{tuple(own[name].shape)} in the model'
        for name, value in weights.items()
        if name in own and value.shape != own[name].shape
    ]
    damage = find_damage(own, weights)
    if not (missing or unknown or sizes or damage):
        return
    hint = ('ln_pre.', 'conv1.bias')
    raise ValueError(
        f'The weights do not fit {model}.\n'
        f'  missing in the weights: {_brief(missing)}\n'
        f'  unknown to the model:   {_brief(unknown)}\n'
        f'  of another size:        {_brief(sizes)}\n'
        f'  damaged:                {_brief(damage)}\n'
        + (ADVICE if missing or unknown or sizes else AGAIN)
        + (
            DIALECT
            if any(n.startswith(hint) for n in missing + unknown)
            else ''
        )
    )


def find_damage(
    own: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> List[str]:
    """Say which tensors are of another kind of number, or of no numbers.

    Args:
        own (Mapping[str, Tensor]): State of the model.
        weights (Mapping[str, Tensor]): What it is to become.

    Returns:
        List[str]: A line for every tensor that no training leaves behind.
    """
    lines = []
    for name, value in weights.items():
        if name not in own:
            continue
        if _kind(value) != _kind(own[name]):
            lines.append(
                f'{name}: {value.dtype} in the weights, '
                f'{own[name].dtype} in the model'
            )
            continue
        bad = count_not_finite(value)
        if bad and bad > count_not_finite(own[name]):
            lines.append(f'{name}: {bad} of {value.numel()} are not finite')
    return lines


def _kind(value: Tensor) -> str:
    """Name the kind of numbers of a tensor."""
    if value.is_quantized or value.is_sparse:
        return 'packed'
    if value.is_floating_point():
        return 'float'
    return 'complex' if value.is_complex() else 'integer'


def count_not_finite(value: Tensor) -> int:
    """Count what is infinite or not a number.

    Args:
        value (Tensor): Numbers of any kind.

    Returns:
        int: 0 for whole numbers and for tensors that hold none in memory.
    """
    if _all_finite(value):
        return 0
    if value.dtype.itemsize == 1:  # torch knows no more of these
        return int(value.isnan().sum())
    return value.numel() - int(torch.isfinite(value).sum())


def has_nan(value: Tensor) -> bool:
    """Whether something is not a number.

    Args:
        value (Tensor): Numbers of any kind.

    Returns:
        bool: False for whole numbers and for tensors that hold none.
    """
    return not _all_finite(value) and bool(value.isnan().any())


def _all_finite(value: Tensor) -> bool:
    """Whether a sum shows in one pass that all numbers are finite.

    That of finite numbers may be infinite; then they have to be looked at.
    """
    if (
        value.is_meta
        or value.layout is not torch.strided
        or not value.is_floating_point()
    ):
        return True
    if value.dtype.itemsize == 1:
        return False
    wide = torch.promote_types(value.dtype, torch.float32)
    return bool(torch.isfinite(value.detach().sum(dtype=wide)))


def _brief(names: Collection[str], most: int = 20) -> str:
    """List names, not hundreds of them."""
    names = list(names)
    rest = f' and {len(names) - most} more' if len(names) > most else ''
    return f'{names[:most]}{rest}'
