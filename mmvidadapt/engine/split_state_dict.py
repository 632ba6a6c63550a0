"""Split the names of a model into adapter and trunk."""

import re
from typing import List, Tuple

from torch import nn


def split_names(model: nn.Module) -> Tuple[List[str], List[str]]:
    """Split the names of a state dict into adapter and trunk.

    The adapter's are the trained parameters, those that image weights do not
    have (``new`` of the backbone) whether trained or not, and the buffers
    that are saved.

    Args:
        model (nn.Module): The model, on any device.

    Returns:
        Tuple[List[str], List[str]]: Names in its ``state_dict``: the
        adapter's and the trunk's.
    """
    trunk = {
        name
        for name, param in model.named_parameters(remove_duplicate=False)
        if not param.requires_grad
    }
    for prefix, module in model.named_modules():
        new, start = getattr(module, 'new', ()), f'{prefix}.' if prefix else ''
        trunk -= {
            name
            for name in trunk
            if name.startswith(start)
            and any(re.fullmatch(p, name[len(start) :]) for p in new)
        }
    names = list(model.state_dict())
    return [n for n in names if n not in trunk], [
        n for n in names if n in trunk
    ]
