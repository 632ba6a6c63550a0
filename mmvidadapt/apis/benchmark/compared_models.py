"""Build the recognizers that a benchmark compares, with equal weights."""

import importlib.util
import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import Tensor, nn

import mmvidadapt
from mmvidadapt.trunks.vit import ARCHS

from ..inspect.complexity import clip_shape
from ..train.config import load_config

PLAIN = 'plain'
# Arguments that a plain re-statement need not know: weights are given to it,
# nothing is dropped while measuring, and memory is what is compared.
_NOT_RESTATED = (
    'pretrained',
    'init_cfg',
    'with_cp',
    'full_finetune',
    'trainable',
    'drop_path_rate',
    'drop_path_mode',
    'inflation',
)


@dataclass(frozen=True)
class Contender:
    """A recognizer to be measured.

    Args:
        name (str): Its row in the table.
        config (dict): Config of the recognizer.
        shape (Tuple[int, ...]): Shape of its clips, ``(B, 3, T, H, W)``.
        plain (bool): Whether the backbone is replaced by its plain
            re-statement. Defaults to False.
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
        model = MODELS.build(self.config)
        if not isinstance(model, BaseRecognizer):
            raise ValueError(
                f'{self.name}: model.type is '
                f'{type(model).__name__}; only recognizers can '
                'be measured.'
            )
        if self.plain:
            plain = plain_backbone(self.config['backbone'])
            share_trained(model.backbone, plain)
            model.backbone = plain
        for param in model.parameters():
            if not param.any():  # else new adapters would do nothing
                nn.init.normal_(param, std=0.02)
        return model


def contender(
    name: str, options: Dict[str, Any], batch_size: int
) -> Contender:
    """Make a contender of a config's name or path."""
    config = load_config(name, options)
    return Contender(
        Path(name).with_suffix('').name,
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
        plain (bool): Whether its plain re-statement is one more.
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


def plain_backbone(config: Dict[str, Any]) -> nn.Module:
    """Build the plain re-statement of a backbone from its config."""
    config = dict(config)
    method = MODELS.get(config.pop('type'))
    plain = load_plain(method)
    known = set(inspect.signature(plain).parameters)
    if 'arch' not in known:
        arch = config.pop('arch', 'base-p16')
        config = {**(ARCHS[arch] if isinstance(arch, str) else arch), **config}
    config = {
        name: value
        for name, value in config.items()
        if name not in _NOT_RESTATED and value is not None
    }
    unknown = sorted(set(config) - known)
    if unknown:
        raise ValueError(
            f'{plain.__name__} has no {unknown}; leave them out '
            'of the config, or do without --against plain.'
        )
    size = config.get('img_size', 224)
    if not isinstance(size, int):
        if size[0] != size[1]:
            raise ValueError(
                f'img_size={tuple(size)}: {plain.__name__} '
                'takes square frames only.'
            )
        config['img_size'] = size[0]
    return plain(**config)


def load_plain(method: type) -> type:
    """Import the plain class of a method from the tests of the checkout."""
    tests = Path(mmvidadapt.__file__).resolve().parents[1] / 'tests'
    stem = method.__module__.split('.')[2].replace('peft', 'petl')
    path = tests / 'reference' / f'plain_{stem}.py'
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist. Plain re-statements of the methods are '
            'part of the tests, which are not installed: run this tool in a '
            'checkout, with a method that has one.'
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, f'Plain{method.__name__}')


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


def share_trained(source: nn.Module, target: nn.Module) -> None:
    """Train the same parameters in both."""
    trained = {n for n, p in source.named_parameters() if p.requires_grad}
    for name, param in target.named_parameters():
        param.requires_grad_(name in trained)
