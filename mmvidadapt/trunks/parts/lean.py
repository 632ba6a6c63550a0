"""Mark classes that compute what a plain class says in less memory and time.

``block.py`` of a method says what its paper says; ``lean.py`` beside it
computes the same numbers, and is what trains by default. Both have the same
parameters under the same names, so a model turns from one into the other by
the classes of its modules alone.
"""

from functools import wraps
from typing import Any, Callable

from torch import nn

from .tracing import is_exported


class Lean:
    """Mark a lean class; the plain class follows it in the order of bases.

    ``class LeanBlock(Lean, Block)`` overrides ``forward`` and may add steps
    of its own, under names that ``Block`` has not: tracers and exporters get
    the ``forward`` of ``Block``, on the same module.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the forward of every lean class for exporters."""
        super().__init_subclass__(**kwargs)
        if 'forward' in vars(cls):
            cls.forward = _plain_when_exported(vars(cls)['forward'])

    @classmethod
    def plain(cls) -> type:
        """Return the class whose numbers this one computes."""
        return next(
            base
            for base in cls.__mro__
            if issubclass(base, nn.Module) and not issubclass(base, Lean)
        )


def _plain_when_exported(forward: Callable) -> Callable:
    """Make a ``forward`` that steps back when operators are recorded."""

    @wraps(forward)
    def run(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if is_exported():
            return self.plain().forward(self, *args, **kwargs)
        return forward(self, *args, **kwargs)

    return run


def use_equation_(model: nn.Module) -> nn.Module:
    """Turn every lean module of a model into its plain class, in place.

    Args:
        model (nn.Module): The model; its parameters stay as they are.

    Returns:
        nn.Module: The model.
    """
    for module in model.modules():
        if isinstance(module, Lean):
            module.__class__ = module.plain()
    return model
