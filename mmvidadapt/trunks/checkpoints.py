"""Fit checkpoints of our own to an image ViT, in a hook before they load."""

from typing import Any, Dict

import torch
from torch import nn

from mmvidadapt.weights.fold import (
    GAMMA,
    check_layer_scale,
    fold_layer_scale_,
)
from mmvidadapt.weights.trunk_kind import MARK, refuse_other_rotary


def meet_checkpoint(
    trunk: nn.Module, state_dict: Dict[str, Any], prefix: str, *args: Any
) -> None:
    """Fold or fill in LayerScale, and compare rotary positions.

    A frozen trunk holds LayerScale folded, one that is trained as a whole as
    parameters; either takes the other's checkpoint.

    Args:
        trunk (nn.Module): An image ViT.
        state_dict (Dict[str, Any]): What is about to be loaded; changed in
            place.
        prefix (str): Where the trunk's names begin.
        *args: What else PyTorch gives to such hooks.

    Raises:
        ValueError: If its positions are another trunk's, or some of its
            layers lack their LayerScale.
    """
    own = {n[len(prefix) :]: n for n in state_dict if n.startswith(prefix)}
    state = trunk.state_dict()
    if 'conv1.weight' not in own:  # no trunk, so no mark of one
        if MARK in state:
            state_dict.setdefault(prefix + MARK, state[MARK])
        return
    if MARK in own or MARK in state:
        refuse_other_rotary(trunk, {k: state_dict[n] for k, n in own.items()})
    if not trunk.has_scale:
        return
    if trunk.keeps_scale and not any(name.endswith(GAMMA) for name in own):
        ones = {k: v for k, v in state.items() if k.endswith(GAMMA)}
        for name, value in ones.items():
            state_dict[prefix + name] = torch.ones_like(value)  # (C,)
    elif not trunk.keeps_scale:
        weights = {name: state_dict.pop(full) for name, full in own.items()}
        check_layer_scale(weights)
        fold_layer_scale_(weights)
        state_dict.update({prefix + k: v for k, v in weights.items()})
