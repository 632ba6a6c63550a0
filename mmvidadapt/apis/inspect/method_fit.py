"""Compare weights with a method, by kinds of names."""

import re
from functools import lru_cache
from typing import (
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Sequence,
    Set,
    Tuple,
)

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn
from torch.overrides import TorchFunctionMode

from mmvidadapt.weights.layouts.convert import BACKBONE, HEAD, Conversion, kind

from ..train.config import list_configs, load_config


class Target(NamedTuple):
    """A method, as kinds of names (numbers are ``*``) of its backbones.

    Args:
        name (str): Class of the backbones.
        needed (Set[str]): What all of them have.
        known (Set[str]): What some of them have.
        new (Set[str]): What image weights need not have.
        frozen (Set[str]): What some of them do not train.
    """

    name: str
    needed: Set[str]
    known: Set[str]
    new: Set[str]
    frozen: Set[str]


class Fit(NamedTuple):
    """Fit of weights to a method, in kinds of names.

    Args:
        target (str): What they were compared with.
        new (List[str]): Kinds that start fresh, as they should.
        missing (List[str]): Kinds that the method needs.
        unknown (List[str]): Kinds that the method has no place for.
        trunk (bool): Whether the whole frozen trunk is missing, which then
            comes from the ``pretrained`` of the config.
    """

    target: str
    new: List[str]
    missing: List[str]
    unknown: List[str]
    trunk: bool


def list_methods() -> List[str]:
    """Name the methods, which are the folders of configs."""
    folders = {name.split('/')[0] for name in list_configs()}
    return sorted(folders - {'evidence', 'quickstart'})


def _closest_target(found: Conversion, method: str, own: Set[str]) -> Target:
    """Find the backbone of a method that has most of the kinds of names."""
    targets = read_targets(method)
    target = max(targets, key=lambda t: (len(t.known & own), -len(t.known)))
    # Layouts of methods begin with their names; others are of images.
    of = next((m for m in list_methods() if found.layout.startswith(m)), '')
    if of not in ('', method) or len(own & target.known) < len(own) / 2:
        raise ValueError(
            f"Weights in the layout '{found.layout}' are those of "
            f'{of or "another trunk"}, and do not fit {method}; choose other '
            f'weights, or --to {of or "a method with this trunk"}.'
        )
    return target


def compare_with(found: Conversion, method: str) -> Fit:
    """Compare converted weights with a method, by kinds of names.

    Args:
        found (Conversion): The weights.
        method (str): One of :func:`list_methods`.

    Returns:
        Fit: What is new, missing and unknown.

    Raises:
        ValueError: If there is no such method.
    """
    if method not in list_methods():
        raise ValueError(f'--to {method}: choose from {list_methods()}.')
    own = {
        kind(name.removeprefix(BACKBONE))
        for name in found.weights
        if not name.startswith(HEAD)
    }
    target = _closest_target(found, method, own)
    missing = target.needed - own
    frozen = target.frozen & target.needed
    trunk = bool(frozen) and frozen <= missing
    if trunk:
        missing -= frozen
    new = set() if found.whole else missing & target.new
    return Fit(
        f'{method} ({target.name})',
        sorted(new),
        sorted(missing - new),
        sorted(own - target.known),
        trunk,
    )


@lru_cache(maxsize=None)
def read_targets(method: str) -> Tuple[Target, ...]:
    """Build the backbones of a method's configs without their numbers."""
    targets: Dict[str, Target] = {}
    init_default_scope('mmaction')
    for name in list_configs():
        if not name.startswith(f'{method}/'):
            continue
        with torch.device('meta'), _RealSteps():  # in no time and memory
            backbone = MODELS.build(load_config(name).model.backbone)
        found = _target(backbone)
        before = targets.get(found.name, found)
        targets[found.name] = Target(
            found.name,
            found.needed & before.needed,
            found.known | before.known,
            found.new | before.new,
            found.frozen | before.frozen,
        )
    return tuple(targets.values())


class _RealSteps(TorchFunctionMode):
    """Keep drop path rates real numbers on the meta device."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: Any = None
    ) -> Any:
        """Keep ranges of numbers off the meta device."""
        kwargs = dict(kwargs or {})
        if func is torch.linspace:
            kwargs.setdefault('device', 'cpu')
        return func(*args, **kwargs)


def _target(backbone: nn.Module) -> Target:
    """Read the kinds of names of one backbone."""
    names = list(backbone.state_dict())
    patterns = getattr(backbone, 'new', ())
    new = {
        kind(name)
        for name in names
        if any(re.fullmatch(pattern, name) for pattern in patterns)
    }
    params = dict(backbone.named_parameters())
    trained = {kind(n) for n, p in params.items() if p.requires_grad}
    kinds = {kind(name) for name in names if name in params}
    return Target(
        type(backbone).__name__,
        kinds,
        {kind(name) for name in names},
        new,
        kinds - trained,
    )


def describe_fit(fit: Fit) -> str:
    """Describe how weights fit a method.

    Args:
        fit (Fit): What was compared.

    Returns:
        str: Lines to print.
    """
    parts: Sequence[Tuple[str, List[str]]] = (
        ('new to these weights', fit.new),
        ('misses', fit.missing),
        ('unknown to the method', fit.unknown),
    )
    lines = [f'compared with {fit.target}, in kinds of names:']
    for title, names in parts:
        lines.append(f'{title}: {len(names)}')
        lines += [f'  {name}' for name in names]
    if fit.trunk:
        lines.append("the frozen trunk comes from the config's `pretrained`")
    return '\n'.join(lines)
