"""What the tests of every method know of each: one module a method.

A module here has a list ``CASES``; ``test_every_method.py`` finds it, and
fails for a registered method that no case builds.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import Tensor, nn

import mmvidadapt.models  # noqa: F401


@dataclass
class Official:
    """A golden: the model with its weights, and what it should compute."""

    model: nn.Module
    output: Tensor
    wanted: Tensor
    weight: Tensor  # of the outputs, in the sum that was differentiated
    grads: Dict[str, Tensor]


@dataclass
class Case:
    """A small model of a method, and what is known of it.

    Args:
        config (dict): Of the backbone, tiny.
        clip (tuple): Shape of one of the batch.
        trained (set): Names of exactly what is trained.
        keys (str): First digits of the hash of names and shapes of its
            state dict, see :func:`fingerprint`.
        drawn (float): Mean of the magnitudes of its initial weights.
        image (dict, optional): Config of the model that a new one equals.
        variants (dict): Other arguments for which lean equals plain.
        wrong (sequence): Wrong arguments, and the error that names them.
        wrong_clips (sequence): Wrong shapes, and the error.
        goldens (sequence): Patterns of file names.
        official (callable): Reads a golden; given overrides of the config.
        checkpoints (sequence): Values of ``with_cp``.
        autocast (bool): Whether gradients in half precision are compared.
    """

    config: dict
    clip: Tuple[int, ...]
    trained: Set[str]
    keys: str
    drawn: float
    image: Optional[dict] = None
    variants: Dict[str, dict] = field(default_factory=dict)
    wrong: Sequence[Tuple[dict, str]] = ()
    wrong_clips: Sequence[Tuple[Tuple[int, ...], str]] = ()
    goldens: Sequence[str] = ()
    official: Optional[Callable[..., Official]] = None
    checkpoints: Sequence[Any] = (True, 'mlp')
    autocast: bool = True

    @property
    def name(self) -> str:
        """Return the registered name."""
        return self.config['type']

    def __str__(self) -> str:
        return self.name

    def build(self, random: bool = True, **given: Any) -> nn.Module:
        """Build the model; with ``random``, no parameter is zero."""
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmaction'):
            model = MODELS.build({**self.config, **given})
        for param in model.parameters() if random else ():
            nn.init.normal_(param, std=0.2)
        return model

    def batch(self, size: int = 2) -> Tensor:
        """Draw a batch."""
        return torch.randn(size, *self.clip)


# A trunk with registers, and none of the positions that are added.
REGISTERS = dict(
    pre_norm=False,
    act='gelu',
    eps=1e-5,
    patch_bias=True,
    registers=3,
    positions=False,
)


def names(prefix: str, count: int, *parts: str) -> Set[str]:
    """List parts of numbered modules; ``x.*`` is a weight and a bias."""
    return {
        prefix.format(i) + part.replace('*', kind)
        for i in range(count)
        for part in parts
        for kind in (('weight', 'bias') if '*' in part else ('',))
    }


def all_cases() -> List[Case]:
    """Find the cases of all methods."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    modules = [importlib.import_module(f'{__name__}.{m.name}') for m in found]
    return [case for module in modules for case in module.CASES]
