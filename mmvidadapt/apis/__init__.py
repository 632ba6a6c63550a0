"""What the tools do, as functions; import the module that you need.

The functions to start with are here, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmvidadapt.utils.registration import import_submodule

if TYPE_CHECKING:
    from .adapters import load_adapter
    from .models import get_model, init_recognizer, list_models
    from .multi_adapter import MultiAdapter

PLACES = {
    'MultiAdapter': '.multi_adapter',
    'get_model': '.models',
    'init_recognizer': '.models',
    'list_models': '.models',
    'load_adapter': '.adapters',
}
__all__ = [
    'MultiAdapter',
    'get_model',
    'init_recognizer',
    'list_models',
    'load_adapter',
]


def __getattr__(name: str) -> Any:
    """Import a function, or a module, when it is asked for."""
    if name in PLACES:
        return getattr(import_module(PLACES[name], __name__), name)
    return import_submodule(__name__, name)
