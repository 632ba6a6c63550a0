"""Foreign weights: find, read, recognise, rename and load strictly."""

from .bevt import load_video_swin, to_video_swin
from .dalle import read_dalle, read_pickled_module
from .dualpath_tables import rename_dualpath_
from .evl_tables import rename_recognizer_
from .layouts import rename_official_, to_native
from .load import load_exactly, load_pretrained, read_pretrained
from .readers import load_weights_file
from .sources import SOURCES, Source, resolve
from .vivit_tables import rename_vivit_, temporal_depth

__all__ = [
    'SOURCES',
    'Source',
    'load_exactly',
    'load_pretrained',
    'load_video_swin',
    'load_weights_file',
    'read_dalle',
    'read_pickled_module',
    'read_pretrained',
    'rename_dualpath_',
    'rename_official_',
    'rename_recognizer_',
    'rename_vivit_',
    'resolve',
    'temporal_depth',
    'to_native',
    'to_video_swin',
]
