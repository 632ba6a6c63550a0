"""Kinds of files: what they look like, and what reads them."""

import json
import os
import re
import zipfile
from typing import Any, Callable, Mapping, NamedTuple, Optional

import torch

from .flax import read_flax, read_npz
from .msgpack import looks_like_msgpack
from .plain_types import allow_plain_types
from .torchscript import read_torchscript

allow_plain_types()


def _read_torch(path: str) -> Any:
    """Read a file of torch.save, old or new, without running its code."""
    return torch.load(path, map_location='cpu', weights_only=True)


def _read_zip(path: str) -> Any:
    """Read a new file of torch.save, whose checksums torch does not read."""
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
    if wrong:
        raise ValueError(f'the checksum of {wrong} is wrong')
    return _read_torch(path)


def _read_safetensors(path: str) -> Mapping[str, Any]:
    """Read a safetensors file."""
    from safetensors.torch import load_file

    return load_file(path)


class Container(NamedTuple):
    """A kind of file: what it looks like, its reader or the way out."""

    looks: str
    read: Optional[Callable[[str], Any]] = None
    way_out: str = (
        'It is damaged or truncated: compare its size and sha256 '
        'with the published ones and fetch it again.'
    )


EMPTY = Container('an empty file')
LFS = Container(
    'a Git LFS pointer, not the file it stands for',
    way_out='Fetch the file itself: git lfs pull.',
)
PAGE = Container(
    'a web page',
    way_out='Download the file itself; a sign-in or '
    'confirmation page was saved in its place.',
)
TORCHSCRIPT = Container('a TorchScript archive', read_torchscript)
ZIP = Container('a torch.save archive', _read_zip)
CUT_ZIP = Container('a zip archive without a sound directory at its end')
PICKLE = Container('a torch.save file of the old format', _read_torch)
SAFETENSORS = Container('a safetensors file', _read_safetensors)
CUT_SAFETENSORS = Container('a safetensors file whose header is damaged')
FLAX = Container('a flax checkpoint (msgpack)', read_flax)
NPZ = Container('a NumPy archive', read_npz)
STRANGE = Container(
    'no container of weights that is known',
    way_out='Give a TorchScript archive, a torch.save file, '
    'a safetensors file, a flax checkpoint or an .npz file.',
)
OTHER_ZIP = Container('a zip archive of something else', None, STRANGE.way_out)
# Whole models as others release them, which mmengine does not read.
FOREIGN = (SAFETENSORS, FLAX)


def recognise(path: str) -> Container:
    """Tell the kind of a file by its first bytes, not by its name."""
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        head = file.read(512)
    if not head:
        return EMPTY
    if head.startswith(b'version https://git-lfs'):
        return LFS
    if re.match(rb'\s*<(!doctype|html|\?xml)', head, re.IGNORECASE):
        return PAGE
    if head.startswith(b'PK'):
        return _recognise_zip(path)
    if head.startswith(b'\x80'):
        return PICKLE
    # First, for lengths can look like the start of a map of msgpack.
    if head[8:9] == b'{' and 1 < int.from_bytes(head[:8], 'little') < 1 << 32:
        return SAFETENSORS if _has_header(path, size) else CUT_SAFETENSORS
    return FLAX if looks_like_msgpack(head) else STRANGE


def _recognise_zip(path: str) -> Container:
    """Tell TorchScript from torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # damaged directories raise more than BadZipFile
        return CUT_ZIP
    if any(name.endswith('/constants.pkl') for name in names):
        return TORCHSCRIPT
    if names and all(name.endswith('.npy') for name in names):
        return NPZ
    pickled = any(name.endswith('/data.pkl') for name in names)
    return ZIP if pickled else OTHER_ZIP


def _has_header(path: str, size: int) -> bool:
    """Say whether a safetensors header is whole."""
    with open(path, 'rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        if length > size - 8:
            return False
        try:
            return isinstance(json.loads(file.read(length)), dict)
        except ValueError:
            return False
