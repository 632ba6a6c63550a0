"""What the tools do, as functions; import the module that you need.

The functions to start with are here, too.
"""

from .adapters import load_adapter
from .models import get_model, init_recognizer, list_models
from .multi_adapter import MultiAdapter

__all__ = [
    'MultiAdapter',
    'get_model',
    'init_recognizer',
    'list_models',
    'load_adapter',
]
