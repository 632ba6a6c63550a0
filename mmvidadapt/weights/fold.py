"""Fold LayerScale into the layers before it."""

from typing import Dict

from torch import Tensor

GAMMA = '.gamma'


def fold_layer_scale_(weights: Dict[str, Tensor]) -> None:
    """Multiply every ``X.gamma`` into ``X.weight`` and ``X.bias``, in place.

    ``gamma * (W x + b) = (gamma W) x + gamma b``: exact, and free at run
    time. For backbones that do not train the scale.

    Args:
        weights (Dict[str, Tensor]): Under our names.
    """
    for name in [n for n in weights if n.endswith(GAMMA)]:
        gamma = weights.pop(name)  # (C,)
        layer = name[: -len(GAMMA)]
        for own in (f'{layer}.weight', f'{layer}.bias'):
            value = weights[own]
            scale = gamma.view(-1, *[1] * (value.ndim - 1))
            weights[own] = value * scale
