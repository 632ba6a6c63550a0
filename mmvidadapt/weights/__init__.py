"""Foreign weights: find, read, recognise, rename and load strictly."""

from .layouts import rename_official_, to_native
from .load import load_pretrained
from .readers import load_weights_file
from .sources import SOURCES, Source, resolve

__all__ = [
    'SOURCES',
    'Source',
    'load_pretrained',
    'load_weights_file',
    'rename_official_',
    'resolve',
    'to_native',
]
