"""Unpickle tensors and shells of modules, running nothing a file brings."""

import collections
import pickle
from typing import Any, Dict, Iterator, Tuple

from torch import Tensor

Names = Dict[Tuple[str, str], Any]


class Shell:
    """Stands where a module was; keeps its attributes and does nothing."""

    def __init__(self, *args: Any) -> None:
        """Ignore what a constructor would be given."""

    def __setstate__(self, state: Any) -> None:
        """Keep attributes; other states are for a program to restore."""
        if not isinstance(state, dict):
            raise pickle.UnpicklingError(
                'Can only keep attributes, not run a __setstate__'
            )
        self.__dict__.update(state)


# One for all, whose source torch does not find to compare with a file's.
ANY_MODULE = type('AnyModule', (Shell,), {})


class SafeUnpickler(pickle.Unpickler):
    """Unpickles what is on a list, shells for modules, and nothing else.

    A subclass adds to ``names``, what a file may name by module and name, and
    sets ``modules``, how the modules begin whose classes become shells.
    """

    names: Names = {
        ('collections', 'OrderedDict'): collections.OrderedDict,
    }
    modules: Tuple[str, ...] = ()

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up in the list; shells for modules, else an error."""
        if (module, name) in self.names:
            return self.names[module, name]
        if f'{module}.'.startswith(self.modules) and '.' not in name:
            return ANY_MODULE
        raise pickle.UnpicklingError(
            f'it asks for {module}.{name}, which is neither a tensor nor a '
            'plain type'
        )


def walk(shell: Any, prefix: str = '') -> Iterator[Tuple[str, Tensor]]:
    """Yield the tensors of a shell, and of those inside, by their names.

    Args:
        shell (Any): Where a module was; nothing is in other objects.
        prefix (str): Put before the names. Defaults to ``''``.

    Yields:
        Tuple[str, Tensor]: Parameters, buffers and other tensors.
    """
    if not isinstance(shell, Shell):
        return
    held = dict(vars(shell))
    # Modules of PyTorch keep theirs in dicts, those of TorchScript do not.
    for part in ('_parameters', '_buffers', '_modules'):
        inner = held.pop(part, {})
        held.update(inner if isinstance(inner, dict) else {})
    for name, value in held.items():
        if isinstance(value, Tensor):
            yield f'{prefix}{name}', value
        else:
            yield from walk(value, f'{prefix}{name}.')
