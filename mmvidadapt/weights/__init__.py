"""Find, read, recognize, rename and load foreign weights strictly."""

from .fetch.sources import SOURCES, Source, resolve
from .files.readers import load_weights_file
from .layouts.recognise import rename_official_, to_native
from .load import load_exactly, load_pretrained, read_pretrained

__all__ = [
    'SOURCES',
    'Source',
    'load_exactly',
    'load_pretrained',
    'load_weights_file',
    'read_pretrained',
    'rename_official_',
    'resolve',
    'to_native',
]
