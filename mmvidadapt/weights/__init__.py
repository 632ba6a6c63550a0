"""Foreign weights: find, read, recognise, rename and load strictly."""

from .evl_tables import rename_recognizer_
from .layouts import rename_official_, to_native
from .load import load_pretrained, read_pretrained
from .readers import load_weights_file
from .sources import SOURCES, Source, resolve

__all__ = [
    'SOURCES',
    'Source',
    'load_pretrained',
    'load_weights_file',
    'read_pretrained',
    'rename_official_',
    'rename_recognizer_',
    'resolve',
    'to_native',
]
