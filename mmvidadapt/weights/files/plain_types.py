"""List the plain types that may be unpickled beside tensors.

Checkpoints of mmcv, of timm and of many training scripts keep a config, the
arguments of the command line or a few numbers of NumPy beside the weights.
None of the types below runs anything. Those of other packages become plain
dicts, so the packages need not be there; whatever is not listed is refused.
"""

import argparse
import collections
import datetime
import pathlib
from typing import Any, List, Tuple

import numpy as np
import torch

DICTS = (
    'addict.addict.Dict',
    'fvcore.common.config.CfgNode',
    'mmcv.utils.config.ConfigDict',
    'mmengine.config.config.ConfigDict',
    'yacs.config.CfgNode',
)
TYPES = {
    'argparse.Namespace': argparse.Namespace,
    'datetime.datetime': datetime.datetime,
    'datetime.timedelta': datetime.timedelta,
    'pathlib.PurePosixPath': pathlib.PurePosixPath,
    'pathlib.PureWindowsPath': pathlib.PureWindowsPath,
    'pathlib.PosixPath': pathlib.PurePosixPath,
    'pathlib.WindowsPath': pathlib.PureWindowsPath,
    'pathlib._local.PosixPath': pathlib.PurePosixPath,
    'pathlib._local.WindowsPath': pathlib.PureWindowsPath,
}
# Kinds of numbers and texts in NumPy's arrays, beside those of mmengine.
ARRAYS = ('i1', 'i2', 'u1', 'u2', 'c8', 'c16', 'S1', 'U1', 'O')


def plain_types() -> List[Tuple[Any, str]]:
    """List every type with the name that checkpoints know it by."""
    kinds = {type(np.dtype(name)) for name in ARRAYS} - {np.dtype}
    return [
        *((collections.OrderedDict, name) for name in DICTS),
        *((kind, name) for name, kind in TYPES.items()),
        *((kind, f'numpy.dtypes.{kind.__name__}') for kind in kinds),
    ]


def allow_plain_types() -> None:
    """Allow plain types in torch's safe loader, and so in mmengine's."""
    torch.serialization.add_safe_globals(plain_types())
