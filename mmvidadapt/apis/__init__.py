"""Call from Python what the tools do, grouped by the user's task.

- ``data``: transcode videos, extract frames, cache features and tokens.
- ``train``: find, print and derive configs, check the installation.
- ``inspect``: count operations, draw attention, test the sense of time.
- ``report``: write ``report.html``, how far a recognizer can be trusted.
- ``use``: load models and adapters, classify videos, convert weights.
- ``benchmark``: time training steps and input pipelines side by side.

Import the module that you need, or from here the functions to start with.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmvidadapt.utils.registration import import_submodule

if TYPE_CHECKING:
    from .use.adapters import load_adapter
    from .use.models import get_model, init_recognizer, list_models
    from .use.multi_adapter import MultiAdapter

PLACES = {
    'MultiAdapter': '.use.multi_adapter',
    'get_model': '.use.models',
    'init_recognizer': '.use.models',
    'list_models': '.use.models',
    'load_adapter': '.use.adapters',
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
