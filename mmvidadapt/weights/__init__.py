"""Find, read, rename and load weights strictly.

How a weight gets from a name into a model, file by file:

1. ``fetch/sources.py``: an alias, URL or path becomes a local file;
2. ``files/readers.py``: the file becomes tensors, whatever contains them,
   running nothing;
3. ``layouts/recognize.py``: their names become ours, by the tables of
   ``layouts/`` and of the methods' ``names.py``;
4. ``fit.py``: they are compared with the model, and loaded or refused.

Whole checkpoints, which mmengine loads, are read in 2 and pass 3 and 4 in
the hooks of our modules (``load_hooks.py``). Importing this package imports
the ``names.py`` of every method.
"""

from .fetch.sources import SOURCES, Source, resolve
from .files.readers import load_weights_file
from .fit import load_exactly, load_pretrained, read_pretrained
from .layouts.recognize import rename_official_, rename_whole_, to_native

__all__ = [
    'SOURCES',
    'Source',
    'load_exactly',
    'load_pretrained',
    'load_weights_file',
    'read_pretrained',
    'rename_official_',
    'rename_whole_',
    'resolve',
    'to_native',
]
