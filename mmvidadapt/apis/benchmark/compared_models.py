"""Build the recognizers that a benchmark compares, with equal weights."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mmvidadapt.trunks.parts.lean import use_equation_

from ..inspect.complexity import clip_shape
from ..train.config import load_config

PLAIN = 'plain'


@dataclass(frozen=True)
class Contender:
    """A recognizer to be measured.

    Args:
        name (str): Its row in the table.
        config (dict): Config of the recognizer.
        shape (Tuple[int, ...]): Shape of its clips, ``(B, 3, T, H, W)``.
        plain (bool): Whether its modules are those of the equations, see
            :mod:`mmvidadapt.trunks.parts.lean`. Defaults to False.
        onednn (bool): Whether :mod:`mmvidadapt.trunks.parts.linear` may call
            oneDNN. Defaults to True.
    """

    name: str
    config: dict
    shape: Tuple[int, ...]
    plain: bool = False
    onednn: bool = True

    def build(self, seed: int = 0) -> nn.Module:
        """Build it with random weights, none of them all zero."""
        torch.manual_seed(seed)
        init_default_scope('mmaction')
        config = copy.deepcopy(self.config)
        if self.plain:
            config['backbone']['with_cp'] = False
        model = MODELS.build(config)
        if not isinstance(model, BaseRecognizer):
            raise ValueError(
                f'{self.name}: model.type is '
                f'{type(model).__name__}; only recognizers can '
                'be measured.'
            )
        if self.plain:
            use_equation_(model)
        for param in model.parameters():
            if not param.any():  # else new adapters would do nothing
                nn.init.normal_(param, std=0.02)
        return model


def contender(
    name: str,
    options: Dict[str, Any],
    batch_size: int,
    trunk: Optional[str] = None,
) -> Contender:
    """Make a contender of a config's name or path, or of another trunk."""
    config = load_config(name, options, trunk)
    return Contender(
        Path(name).stem + (f', {trunk}' if trunk else ''),
        config.model.to_dict(),
        clip_shape(config, batch_size),
    )


def variants(
    base: Contender,
    with_cp: Sequence[Any],
    against: Sequence[Contender],
    plain: bool,
    blas: bool,
) -> List[Contender]:
    """List what is measured; the first is what the others are related to.

    Args:
        base (Contender): The config in question.
        with_cp (Sequence[Any]): Values of ``backbone.with_cp`` to measure it
            with; empty for the config's own.
        against (Sequence[Contender]): Other configs.
        plain (bool): Whether its equations are one more.
        blas (bool): Whether it without oneDNN's products is one more.

    Returns:
        List[Contender]: In the order of the table.
    """
    rows = [replace(base, name=PLAIN, plain=True)] if plain else []
    rows += against
    for value in with_cp:
        config = dict(
            base.config, backbone=dict(base.config['backbone'], with_cp=value)
        )
        rows.append(
            replace(base, name=f'{base.name}, cp={value}', config=config)
        )
    rows += [] if with_cp else [base]
    if blas:
        rows.append(replace(base, name=f'{base.name}, BLAS', onednn=False))
    return rows


def share_weights(source: nn.Module, target: nn.Module) -> bool:
    """Copy what has the same name and size; tell whether that is all."""
    ours, theirs = source.state_dict(), target.state_dict()
    shared: Dict[str, Tensor] = {
        name: value
        for name, value in ours.items()
        if name in theirs and theirs[name].shape == value.shape
    }
    target.load_state_dict(shared, strict=False)
    return set(shared) == set(ours) == set(theirs)
