"""A stand-in for the temporal localizer that mmaction2's wheel lacks."""

import sys
import types
from typing import Any


class DRN:
    """Stands where mmaction2 forgot its temporal localizer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ImportError(
            'DRN is missing in the installed mmaction2; install mmaction2 '
            'from its repository to use it.'
        )


def stand_in(name: str) -> None:
    """Put a package with a module ``drn`` in the place of the missing one.

    Args:
        name (str): Of the package.
    """
    package, module = types.ModuleType(name), types.ModuleType(f'{name}.drn')
    package.__path__ = []
    module.DRN, package.drn = DRN, module
    sys.modules[name], sys.modules[f'{name}.drn'] = package, module
