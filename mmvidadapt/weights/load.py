"""Load foreign weights strictly."""

import re
from typing import Collection, Dict, Sequence, Tuple

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from mmvidadapt.models.layers.pos_embed import resize_pos_embed

from .layouts import to_native
from .readers import load_weights_file
from .sources import resolve

POSITIONS = 'positional_embedding'


def load_pretrained(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
) -> None:
    """Load published weights into a backbone.

    Position embeddings are resized to the ``patch_grid`` of the module.

    Args:
        module (nn.Module): Backbone with our parameter names.
        source (str): Alias, URL or path; see :func:`resolve`.
        new (Sequence[str]): Regular expressions over the full names of
            parameters that the weights may lack. Defaults to ``()``.
        unused (Sequence[str]): Regular expressions over the full names of
            parameters that the weights may have in vain. Defaults to ``()``.
    """
    weights, report = read_pretrained(module, source, new, unused)
    # What is missing was checked above.
    module.load_state_dict(weights, strict=False)
    if hasattr(module, '_params_init_info'):  # mmengine's report in the log
        update_init_info(module, init_info=f'Loaded from {source}')
    print_log(report, logger='current')


def read_pretrained(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
) -> Tuple[Dict[str, Tensor], str]:
    """Read published weights and fit them to a backbone, without loading.

    Args:
        module (nn.Module): See :func:`load_pretrained`, as the others.
        source (str): Alias, URL or path.
        new (Sequence[str]): What the weights may lack. Defaults to ``()``.
        unused (Sequence[str]): What is left out. Defaults to ``()``.

    Returns:
        Tuple[Dict[str, Tensor], str]: Weights under the names of the
        backbone, and a line for the log.
    """
    own = module.state_dict()
    swin = any(name.endswith('relative_position_bias_table') for name in own)
    path = resolve(source)
    weights = load_weights_file(path)
    try:
        weights = {
            name: value
            for name, value in to_native(
                weights, 'swin' if swin else 'vit'
            ).items()
            if not any(re.fullmatch(pattern, name) for pattern in unused)
        }
        resized = _resize(module, weights)
        _check(own, weights, new, type(module).__name__)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    return weights, (
        f'Loaded {len(weights)} tensors of {source} ({path}) into '
        f'{type(module).__name__}; {len(own) - len(weights)} are new{resized}'
    )


def _resize(module: nn.Module, weights: Dict[str, Tensor]) -> str:
    """Fit the position embedding to the grid; say so when it changed."""
    grid = getattr(module, 'patch_grid', None)
    if grid is None or POSITIONS not in weights:
        return ''
    before = weights[POSITIONS]
    weights[POSITIONS] = resize_pos_embed(before, tuple(grid))
    if weights[POSITIONS] is before:
        return ''
    return (
        f'; the position embedding of {len(before) - 1} patches was '
        f'resized to {grid[0]}x{grid[1]}'
    )


def _check(
    own: Dict[str, Tensor],
    weights: Dict[str, Tensor],
    new: Sequence[str],
    model: str,
) -> None:
    """Compare names and sizes; only what is new may be missing."""
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
    if not (missing or unknown or sizes):
        return
    hint = ''
    if any(
        name.startswith(('ln_pre.', 'conv1.bias'))
        for name in missing + unknown
    ):
        hint = (
            "\nThe dialect may be another one: 'clip' has ln_pre and no "
            "conv1.bias, 'imagenet' the reverse."
        )
    raise ValueError(
        f'The weights do not fit {model}.\n'
        f'  missing in the weights: {_brief(missing)}\n'
        f'  unknown to the model:   {_brief(unknown)}\n'
        f'  of another size:        {_brief(sizes)}\n'
        'Choose the arch and img_size that the weights were made with, and '
        f'name parameters that they cannot have in `new`.{hint}'
    )


def _brief(names: Collection[str], most: int = 20) -> str:
    """List names, not hundreds of them."""
    names = list(names)
    rest = f' and {len(names) - most} more' if len(names) > most else ''
    return f'{names[:most]}{rest}'
