"""Load foreign weights strictly."""

import re
from functools import partial
from typing import Callable, Dict, Optional, Sequence, Tuple

from mmengine.logging import print_log
from torch import Tensor, nn

from mmvidadapt.methods.dualpath.names import find_projection

from .check import check_weights
from .fetch.sources import resolve
from .files.readers import load_weights_file
from .layouts.recognise import to_native
from .resize_positions import resize_pos_embed

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
        from mmengine.model import update_init_info

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
    weights = load_weights_file(path, copy=False)  # loading copies them
    try:
        native = to_native(weights, 'swin' if swin else 'vit')
        if 'proj' in own:  # of CLIP's class token, which few read
            native.update(find_projection(weights))
        weights = {
            name: value
            for name, value in native.items()
            if not any(re.fullmatch(pattern, name) for pattern in unused)
        }
        fit = getattr(module, 'fit_weights', partial(_resize, module))
        resized = fit(weights)
        check_weights(own, weights, new, type(module).__name__)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    return weights, (
        f'Loaded {len(weights)} tensors of {source} ({path}) into '
        f'{type(module).__name__}; {len(own) - len(weights)} are new{resized}'
    )


def load_exactly(
    module: nn.Module,
    source: str,
    new: Sequence[str] = (),
    unused: Sequence[str] = (),
    reader: Optional[Callable[[str], Dict[str, Tensor]]] = None,
) -> None:
    """Load weights that carry the names of the module, renaming nothing.

    Args:
        module (nn.Module): What is loaded.
        source (str): Alias, URL or path; see :func:`resolve`.
        new (Sequence[str]): Regular expressions over names that the weights
            may lack. Defaults to ``()``.
        unused (Sequence[str]): Regular expressions over names that the
            weights may have in vain. Defaults to ``()``.
        reader (Callable, optional): How the file is read.
            Defaults to None: by :func:`load_weights_file`.
    """
    read = reader or partial(load_weights_file, copy=False)
    weights = {
        name: value
        for name, value in read(resolve(source)).items()
        if not any(re.fullmatch(pattern, name) for pattern in unused)
    }
    try:
        name = type(module).__name__
        check_weights(module.state_dict(), weights, new, name)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    module.load_state_dict(weights, strict=False)  # checked above


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
