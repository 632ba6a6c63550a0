"""Fold LayerScale into the layers before it, or know that it was."""

from typing import Dict, Mapping

import torch
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


def check_layer_scale(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights of which some layers have their scale and some have not.

    Args:
        weights (Mapping[str, Tensor]): Under our names.

    Raises:
        ValueError: With those that lack.
    """
    ends = ('.attn.out_proj.weight', '.mlp.c_proj.weight')
    layers = [
        name.removesuffix('.weight') + GAMMA
        for name in weights
        if name.startswith('transformer.') and name.endswith(ends)
    ]
    lost = [name for name in layers if name not in weights]
    if 0 < len(lost) < len(layers):
        raise ValueError(
            f'The weights have no LayerScale for {lost[:4]}, but for '
            f'{len(layers) - len(lost)} other layers; fetch the file again.'
        )


def complete_folded_(
    weights: Dict[str, Tensor], own: Mapping[str, Tensor]
) -> None:
    """Fill in what weights lack whose factors were folded before.

    Such files have neither a scale nor a patch bias, which lies in their
    positions: the one is one, the other zero.

    Args:
        weights (Dict[str, Tensor]): Under our names, changed in place.
        own (Mapping[str, Tensor]): State of the model.
    """
    if any(n == 'conv1.bias' or n.endswith(GAMMA) for n in weights):
        return
    for name, value in own.items():
        if name.endswith(GAMMA):
            weights[name] = torch.ones_like(value)  # (C,)
        elif name == 'conv1.bias':
            weights[name] = torch.zeros_like(value)  # (C,)
